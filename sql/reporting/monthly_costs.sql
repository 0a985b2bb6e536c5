-- Grain: one row a local month, provider, account, direction and currency that had calls.
with

calls as (

    select
        *,
        cast(date_trunc('month', local_started_at) as date) as local_month
    from intermediate.current_calls

),

by_month as (

    select
        local_month,
        provider,
        account,
        direction,
        currency,

        count(*) as calls,
        count(cost) as costed_calls,
        sum(cost) as cost,
        cast(sum(case when cost is not null then talk_seconds end) as bigint) as costed_talk_seconds

    from calls
    group by local_month, provider, account, direction, currency

),

final as (

    select
        local_month,
        provider,
        account,
        direction,
        currency,

        calls,
        costed_calls,
        cost,
        costed_talk_seconds,
        cast(cost as double) * 60 / nullif(costed_talk_seconds, 0) as cost_per_minute

    from by_month

)

select * from final
