-- Whom do we still owe a call, and how often did they try last week?
select
    contact_number,
    count(*) as tries,
    max(started_at) as last_try,
    max(coalesce(hotline_name, hotline_number)) as hotline
from reporting.missed_calls
where local_date between date '2026-06-24' and date '2026-06-30' and is_open and is_reachable
group by contact_number
order by tries desc, last_try desc
limit 5
