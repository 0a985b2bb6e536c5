-- No call and no leg lasts, rings or talks for less than nothing.
select
    call_id,
    ring_seconds,
    talk_seconds,
    total_seconds
from reporting.calls
where
    ring_seconds < 0
    or talk_seconds < 0
    or total_seconds < 0

union all

select
    call_id,
    ring_seconds,
    talk_seconds,
    cast(null as bigint) as total_seconds
from reporting.call_legs
where
    ring_seconds < 0
    or talk_seconds < 0
