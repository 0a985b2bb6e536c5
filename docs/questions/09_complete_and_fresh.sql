-- Is the history complete, and how fresh is it?
select
    freshness.name,
    freshness.cursor as read_until,
    freshness.newest_call_at,
    count(coverage.range_start) as missing_ranges
from reporting.freshness
left join reporting.coverage
    on
        freshness.name = coverage.name
        and coverage.state = 'missing'
group by freshness.name, freshness.cursor, freshness.newest_call_at
order by freshness.name
