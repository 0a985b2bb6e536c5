-- call_id names one call.
select
    call_id,
    count(*) as row_count
from reporting.calls
group by call_id
having count(*) > 1 or call_id is null
