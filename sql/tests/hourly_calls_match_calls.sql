-- The hours of an account add up to its calls, direction by direction.
with

calls as (

    select
        provider,
        account,
        direction,
        count(*) as calls,
        count(case when outcome <> 'in_progress' then 1 end) as finished_calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,
        coalesce(sum(talk_seconds), 0) as talk_seconds
    from reporting.calls
    group by provider, account, direction

),

hours as (

    select
        provider,
        account,
        direction,
        sum(calls) as calls,
        sum(finished_calls) as finished_calls,
        sum(answered_calls) as answered_calls,
        sum(missed_calls) as missed_calls,
        coalesce(sum(talk_seconds), 0) as talk_seconds
    from reporting.hourly_calls
    where
        weekday between 1 and 7
        and hour between 0 and 23
    group by provider, account, direction

)

select
    calls.provider,
    calls.account,
    calls.direction,
    calls.calls,
    hours.calls as hourly_calls,
    calls.finished_calls,
    hours.finished_calls as hourly_finished_calls,
    calls.answered_calls,
    hours.answered_calls as hourly_answered_calls,
    calls.missed_calls,
    hours.missed_calls as hourly_missed_calls,
    calls.talk_seconds,
    hours.talk_seconds as hourly_talk_seconds
from calls
left join hours
    on
        calls.provider = hours.provider
        and calls.account = hours.account
        and calls.direction = hours.direction
where
    hours.calls is null
    or calls.calls <> hours.calls
    or calls.finished_calls <> hours.finished_calls
    or calls.answered_calls <> hours.answered_calls
    or calls.missed_calls <> hours.missed_calls
    or calls.talk_seconds <> hours.talk_seconds
