-- The days of a hotline add up to the calls that went through it.
with

calls as (

    select
        provider,
        account,
        hotline_number,
        count(*) as calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,
        coalesce(sum(ring_seconds), 0) as ring_seconds
    from reporting.calls
    where hotline_number is not null
    group by provider, account, hotline_number

),

days as (

    select
        provider,
        account,
        hotline_number,
        sum(calls) as calls,
        sum(answered_calls) as answered_calls,
        sum(missed_calls) as missed_calls,
        coalesce(sum(ring_seconds), 0) as ring_seconds
    from reporting.hotline_calls
    where local_date is not null
    group by provider, account, hotline_number

)

select
    coalesce(calls.provider, days.provider) as provider,
    coalesce(calls.account, days.account) as account,
    coalesce(calls.hotline_number, days.hotline_number) as hotline_number,
    calls.calls,
    days.calls as daily_calls,
    calls.answered_calls,
    days.answered_calls as daily_answered_calls,
    calls.missed_calls,
    days.missed_calls as daily_missed_calls,
    calls.ring_seconds,
    days.ring_seconds as daily_ring_seconds
from calls
full outer join days
    on
        calls.provider = days.provider
        and calls.account = days.account
        and calls.hotline_number = days.hotline_number
where
    calls.calls is null
    or days.calls is null
    or calls.calls <> days.calls
    or calls.answered_calls <> days.answered_calls
    or calls.missed_calls <> days.missed_calls
    or calls.ring_seconds <> days.ring_seconds
