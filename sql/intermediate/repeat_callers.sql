-- Grain: one row a number that called an account at least twice. Key: provider, account, contact_number.
-- What counts are inbound calls that have finished. A row depends on the calls of its number alone, so that
-- callsync.repeat_callers can keep it.
with

calls as (

    select * from callsync.reported_calls
    where
        direction = 'inbound'
        and outcome <> 'in_progress'
        and contact_number is not null

),

-- One number in place of three texts: the calls of these callers are sorted and grouped by it.
callers as (

    select
        provider,
        account,
        contact_number,
        row_number() over () as caller_key,

        count(*) as calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,

        min(started_at) as first_call_at,
        max(started_at) as last_call_at

    from calls
    group by provider, account, contact_number
    having count(*) > 1

),

calls_of_callers as (

    select
        callers.caller_key,
        calls.from_number,
        calls.started_at,
        cast(calls.local_started_at as date) as local_date,
        lag(calls.started_at) over (partition by callers.caller_key order by calls.started_at)
            as previous_started_at
    from calls
    inner join callers
        on
            calls.provider = callers.provider
            and calls.account = callers.account
            and calls.contact_number = callers.contact_number

),

by_caller as (

    select
        caller_key,
        count(distinct local_date) as active_days,
        count(distinct from_number) as spellings,
        count(case when started_at <= previous_started_at + interval '24 hours' then 1 end)
            as repeats_within_day_calls
    from calls_of_callers
    group by caller_key

),

final as (

    select
        callers.provider,
        callers.account,
        callers.contact_number,

        callers.calls,
        callers.answered_calls,
        callers.missed_calls,

        by_caller.repeats_within_day_calls,
        by_caller.active_days,
        by_caller.spellings,

        callers.first_call_at,
        callers.last_call_at

    from callers
    inner join by_caller
        on callers.caller_key = by_caller.caller_key

)

select * from final
