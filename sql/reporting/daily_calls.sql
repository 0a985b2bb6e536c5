-- Grain: one row a local date, provider, account and direction that had calls.
with

calls as (

    select
        *,
        cast(local_started_at as date) as local_date
    from intermediate.current_calls

),

by_day as (

    select
        local_date,
        provider,
        account,
        direction,

        count(*) as calls,
        count(case when outcome <> 'in_progress' then 1 end) as finished_calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,

        cast(sum(ring_seconds) as bigint) as ring_seconds,
        cast(sum(talk_seconds) as bigint) as talk_seconds,
        cast(sum(total_seconds) as bigint) as total_seconds,

        sum(cost) as cost,
        min(currency) as lowest_currency,
        max(currency) as highest_currency

    from calls
    group by local_date, provider, account, direction

),

-- An account has one currency; should it ever change within a day, no sum over both is shown.
final as (

    select
        local_date,
        provider,
        account,
        direction,

        calls,
        finished_calls,
        answered_calls,
        missed_calls,
        cast(answered_calls as double) / nullif(finished_calls, 0) as answer_rate,

        ring_seconds,
        talk_seconds,
        total_seconds,

        case when lowest_currency = highest_currency then cost end as cost,
        case when lowest_currency = highest_currency then lowest_currency end as currency

    from by_day

)

select * from final
