-- Offered calls are answered or abandoned; those in time are among the measured ones.
select
    local_date,
    provider,
    account,
    hotline_number,
    offered_calls,
    answered_calls,
    abandoned_calls,
    short_abandoned_calls,
    unmeasured_calls,
    measured_calls,
    answered_in_time_calls,
    measured_answered_calls,
    answered_ring_seconds
from reporting.service_level
where
    offered_calls <> answered_calls + abandoned_calls
    or offered_calls <> measured_calls + unmeasured_calls
    or answered_in_time_calls > measured_answered_calls
    or measured_answered_calls > answered_calls
    or measured_answered_calls > measured_calls
    or least(answered_calls, abandoned_calls, short_abandoned_calls, unmeasured_calls, measured_calls) < 0
    or (answered_ring_seconds is null) <> (measured_answered_calls = 0)
