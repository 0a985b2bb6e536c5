-- Who has to call again and again?
select
    provider,
    contact_number,
    calls,
    answered_calls,
    repeats_within_day_calls,
    active_days
from reporting.repeat_callers
order by repeats_within_day_calls desc, calls desc, provider asc
limit 5
