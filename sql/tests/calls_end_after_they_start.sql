-- A call has a start, and ends and is answered no earlier.
select
    call_id,
    started_at,
    answered_at,
    ended_at
from reporting.calls
where
    started_at is null
    or answered_at < started_at
    or ended_at < started_at
