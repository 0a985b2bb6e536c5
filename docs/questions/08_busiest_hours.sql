-- At what hours do we need the most people?
select
    hour,
    sum(calls) as calls,
    sum(missed_calls) as missed,
    round(100.0 * sum(missed_calls) / nullif(sum(finished_calls), 0), 1) as percent_missed
from reporting.hourly_calls
where direction = 'inbound' and weekday <= 5
group by hour
order by calls desc
limit 5
