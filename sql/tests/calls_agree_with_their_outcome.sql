-- The flags and the outcome say the same; a missed call is inbound and unanswered, and answered at no time.
select
    call_id,
    direction,
    outcome,
    is_answered,
    is_missed,
    answered_at,
    talk_seconds
from reporting.calls
where
    is_missed is null
    or is_answered <> (outcome = 'answered')
    or is_missed <> (outcome = 'missed')
    or (is_missed and (is_answered or direction <> 'inbound'))
    or (not is_answered and answered_at is not null)
