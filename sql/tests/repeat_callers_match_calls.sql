-- A repeat caller has the inbound finished calls of its number, no fewer and no more, and at least two.
with

calls as (

    select
        provider,
        account,
        contact_number,
        count(*) as calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at
    from intermediate.current_calls
    where
        direction = 'inbound'
        and outcome <> 'in_progress'
        and contact_number is not null
    group by provider, account, contact_number
    having count(*) > 1

)

select
    coalesce(calls.provider, callers.provider) as provider,
    coalesce(calls.account, callers.account) as account,
    calls.calls as expected_calls,
    callers.calls,
    callers.answered_calls,
    callers.missed_calls,
    callers.repeat_calls,
    callers.repeats_within_day_calls,
    callers.active_days,
    callers.spellings,
    coalesce(calls.first_call_at, callers.first_call_at) as first_call_at,
    coalesce(calls.last_call_at, callers.last_call_at) as last_call_at
from calls
full outer join reporting.repeat_callers as callers
    on
        calls.provider = callers.provider
        and calls.account = callers.account
        and calls.contact_number = callers.contact_number
where
    calls.calls is null
    or callers.calls is null
    or calls.calls <> callers.calls
    or calls.answered_calls <> callers.answered_calls
    or calls.missed_calls <> callers.missed_calls
    or calls.first_call_at <> callers.first_call_at
    or calls.last_call_at <> callers.last_call_at
    or callers.repeat_calls <> callers.calls - 1
    or callers.repeats_within_day_calls not between 0 and callers.repeat_calls
    or callers.active_days not between 1 and callers.calls
    or callers.spellings not between 1 and callers.calls
