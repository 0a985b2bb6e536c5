-- Grain: one row a local date, provider, account and hotline (NULL where none is known) that had answered or
-- missed inbound calls.
with

settings as (

    select
        service_level_seconds,
        short_abandon_seconds
    from callsync.settings

),

calls as (

    select
        *,
        cast(local_started_at as date) as local_date
    from intermediate.current_calls
    where
        direction = 'inbound'
        and (is_answered or is_missed)

),

by_day as (

    select
        calls.local_date,
        calls.provider,
        calls.account,
        calls.hotline_number,
        settings.service_level_seconds,
        settings.short_abandon_seconds,

        count(*) as inbound_calls,
        count(case when calls.is_answered then 1 end) as answered_calls,
        count(
            case when calls.is_missed and calls.ring_seconds < settings.short_abandon_seconds then 1 end
        ) as short_abandoned_calls,
        count(case when calls.ring_seconds is null then 1 end) as unmeasured_calls,
        count(
            case when calls.is_answered and calls.ring_seconds <= settings.service_level_seconds then 1 end
        ) as answered_in_time_calls,
        count(case when calls.is_answered then calls.ring_seconds end) as measured_answered_calls,
        cast(sum(case when calls.is_answered then calls.ring_seconds end) as bigint) as answered_ring_seconds

    from calls
    cross join settings
    group by
        calls.local_date,
        calls.provider,
        calls.account,
        calls.hotline_number,
        settings.service_level_seconds,
        settings.short_abandon_seconds

),

-- A call without a ring time can be no short one, so every unmeasured call was offered.
offered as (

    select
        *,
        inbound_calls - short_abandoned_calls as offered_calls,
        inbound_calls - short_abandoned_calls - answered_calls as abandoned_calls,
        inbound_calls - short_abandoned_calls - unmeasured_calls as measured_calls
    from by_day

),

final as (

    select
        local_date,
        provider,
        account,
        hotline_number,

        service_level_seconds,
        short_abandon_seconds,

        offered_calls,
        answered_calls,
        abandoned_calls,
        short_abandoned_calls,
        cast(abandoned_calls as double) / nullif(offered_calls, 0) as abandon_rate,

        unmeasured_calls,
        measured_calls,
        answered_in_time_calls,
        cast(answered_in_time_calls as double) / nullif(measured_calls, 0) as service_level,

        measured_answered_calls,
        answered_ring_seconds,
        cast(answered_ring_seconds as double) / nullif(measured_answered_calls, 0) as average_answer_seconds

    from offered

)

select * from final
