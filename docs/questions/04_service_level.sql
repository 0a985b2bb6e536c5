-- How fast did we answer, day by day?
-- Voximplant does not tell how long its calls rang, so not every call offered is measured.
select
    local_date,
    sum(offered_calls) as offered,
    sum(abandoned_calls) as abandoned,
    sum(measured_calls) as measured,
    sum(answered_in_time_calls) as answered_in_20_seconds,
    round(100.0 * sum(answered_in_time_calls) / nullif(sum(measured_calls), 0), 1) as percent
from reporting.service_level
where local_date > date '2026-06-30' - 7
group by local_date
order by local_date
