-- The days of an account add up to its calls: none is lost or counted twice on the way to a date.
with

calls as (

    select
        provider,
        account,
        count(*) as calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,
        coalesce(sum(talk_seconds), 0) as talk_seconds
    from reporting.calls
    group by provider, account

),

days as (

    select
        provider,
        account,
        sum(calls) as calls,
        sum(answered_calls) as answered_calls,
        sum(missed_calls) as missed_calls,
        coalesce(sum(talk_seconds), 0) as talk_seconds
    from reporting.daily_calls
    where local_date is not null
    group by provider, account

)

select
    calls.provider,
    calls.account,
    calls.calls,
    days.calls as daily_calls,
    calls.answered_calls,
    days.answered_calls as daily_answered_calls,
    calls.missed_calls,
    days.missed_calls as daily_missed_calls,
    calls.talk_seconds,
    days.talk_seconds as daily_talk_seconds
from calls
left join days
    on
        calls.provider = days.provider
        and calls.account = days.account
where
    days.calls is null
    or calls.calls <> days.calls
    or calls.answered_calls <> days.answered_calls
    or calls.missed_calls <> days.missed_calls
    or calls.talk_seconds <> days.talk_seconds
