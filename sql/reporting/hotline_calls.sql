-- Grain: one row a local date, provider, account and hotline that had calls.
-- A call without a hotline is in no row.
with

calls as (

    select
        *,
        cast(local_started_at as date) as local_date
    from intermediate.current_calls
    where hotline_number is not null

),

hotlines as (

    select * from intermediate.hotlines

),

by_day as (

    select
        local_date,
        provider,
        account,
        hotline_number,

        count(*) as calls,
        count(case when direction = 'inbound' then 1 end) as inbound_calls,
        count(case when direction = 'outbound' then 1 end) as outbound_calls,
        count(case when outcome <> 'in_progress' then 1 end) as finished_calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,

        count(ring_seconds) as rung_calls,
        cast(sum(ring_seconds) as bigint) as ring_seconds,
        max(ring_seconds) as longest_ring_seconds,
        cast(sum(talk_seconds) as bigint) as talk_seconds,

        sum(cost) as cost,
        min(currency) as lowest_currency,
        max(currency) as highest_currency

    from calls
    group by local_date, provider, account, hotline_number

),

final as (

    select
        by_day.local_date,
        by_day.provider,
        by_day.account,
        by_day.hotline_number,
        hotlines.hotline_name,

        by_day.calls,
        by_day.inbound_calls,
        by_day.outbound_calls,
        by_day.finished_calls,
        by_day.answered_calls,
        by_day.missed_calls,
        cast(by_day.answered_calls as double) / nullif(by_day.finished_calls, 0) as answer_rate,

        by_day.rung_calls,
        by_day.ring_seconds,
        cast(by_day.ring_seconds as double) / nullif(by_day.rung_calls, 0) as average_ring_seconds,
        by_day.longest_ring_seconds,
        by_day.talk_seconds,

        case when by_day.lowest_currency = by_day.highest_currency then by_day.cost end as cost,
        case when by_day.lowest_currency = by_day.highest_currency then by_day.lowest_currency end as currency

    from by_day
    left join hotlines
        on
            by_day.provider = hotlines.provider
            and by_day.account = hotlines.account
            and by_day.hotline_number = hotlines.hotline_number

)

select * from final
