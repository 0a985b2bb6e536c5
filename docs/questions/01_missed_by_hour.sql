-- What did we miss yesterday, and at what hours?
select
    extract(hour from started_at) as hour,
    count(*) as missed,
    count(case when is_open then 1 end) as not_called_back
from reporting.missed_calls
where local_date = date '2026-06-30'
group by extract(hour from started_at)
order by missed desc, hour asc
limit 5
