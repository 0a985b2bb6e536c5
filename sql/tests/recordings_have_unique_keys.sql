-- A recording is named by its call and position.
select
    call_id,
    position,
    count(*) as row_count
from reporting.recordings
group by call_id, position
having count(*) > 1 or call_id is null
