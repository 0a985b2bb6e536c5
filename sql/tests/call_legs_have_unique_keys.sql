-- A leg is named by its call, role and position.
select
    call_id,
    role,
    position,
    count(*) as row_count
from reporting.call_legs
group by call_id, role, position
having count(*) > 1 or call_id is null
