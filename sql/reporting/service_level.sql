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

hotlines as (

    select * from intermediate.hotlines

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
        offered.local_date,
        offered.provider,
        offered.account,
        offered.hotline_number,
        hotlines.hotline_name,

        offered.service_level_seconds,
        offered.short_abandon_seconds,

        offered.offered_calls,
        offered.answered_calls,
        offered.abandoned_calls,
        offered.short_abandoned_calls,
        cast(offered.abandoned_calls as double) / nullif(offered.offered_calls, 0) as abandon_rate,

        offered.unmeasured_calls,
        offered.measured_calls,
        offered.answered_in_time_calls,
        cast(offered.answered_in_time_calls as double) / nullif(offered.measured_calls, 0) as service_level,

        offered.measured_answered_calls,
        offered.answered_ring_seconds,
        cast(offered.answered_ring_seconds as double) / nullif(offered.measured_answered_calls, 0)
            as average_answer_seconds

    from offered
    left join hotlines
        on
            offered.provider = hotlines.provider
            and offered.account = hotlines.account
            and offered.hotline_number = hotlines.hotline_number

)

select * from final
