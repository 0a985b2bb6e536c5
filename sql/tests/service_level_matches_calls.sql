-- What was offered and what was given up at once are all inbound calls that were answered or missed.
with

calls as (

    select
        provider,
        account,
        coalesce(hotline_number, '') as hotline_number,
        count(case when is_answered or is_missed then 1 end) as inbound_calls,
        count(case when is_answered then 1 end) as answered_calls
    from reporting.calls
    where direction = 'inbound'
    group by provider, account, coalesce(hotline_number, '')

),

days as (

    select
        provider,
        account,
        coalesce(hotline_number, '') as hotline_number,
        sum(offered_calls + short_abandoned_calls) as inbound_calls,
        sum(answered_calls) as answered_calls
    from reporting.service_level
    where local_date is not null
    group by provider, account, coalesce(hotline_number, '')

)

select
    calls.provider,
    calls.account,
    calls.hotline_number,
    calls.inbound_calls,
    days.inbound_calls as service_level_calls,
    calls.answered_calls,
    days.answered_calls as service_level_answered_calls
from calls
left join days
    on
        calls.provider = days.provider
        and calls.account = days.account
        and calls.hotline_number = days.hotline_number
where
    calls.inbound_calls <> coalesce(days.inbound_calls, 0)
    or calls.answered_calls <> coalesce(days.answered_calls, 0)
