-- Grain: one row an eTelecom call log. Key: account, provider_call_id.
-- A call between two extensions is two logs, ext_in and ext_out, and stays two rows.
with

call_logs as (

    select * from etelecom.call_logs

),

call_targets as (

    select * from etelecom.call_logs__call_targets

),

recording_urls as (

    select * from etelecom.call_logs__recording_urls

),

first_moments as (

    select * from staging.stg_etelecom__first_moments

),

extensions as (

    select * from staging.stg_etelecom__extensions

),

targets_by_call as (

    select
        account,
        id,
        count(*) as leg_count,
        min(answered_time) as answered_at,
        -- Of two targets answered in the same instant, or at no known time, the first one counts.
        arg_min_null(ring_duration, row(answered_time, position)) filter (
            where answered_time is not null or lower(trim(status)) = 'answered'
        ) as ring_seconds,
        max(ring_duration) as longest_ring_seconds
    from call_targets
    group by account, id

),

recordings_by_call as (

    select
        account,
        id,
        count(*) as recording_count
    from recording_urls
    group by account, id

),

joined as (

    select
        call_logs.account,
        call_logs.id as provider_call_id,

        call_logs.caller,
        call_logs.callee,
        call_logs.extension_id,
        lower(trim(call_logs.direction)) as direction,
        coalesce(lower(trim(call_logs.call_state)), 'unknown') as call_state,
        caller_extension.extension_number is not null or coalesce(length(call_logs.caller) <= 6, false)
            as is_caller_extension,
        callee_extension.extension_number is not null or coalesce(length(call_logs.callee) <= 6, false)
            as is_callee_extension,

        call_logs.duration,
        targets_by_call.ring_seconds,
        targets_by_call.longest_ring_seconds,
        coalesce(targets_by_call.leg_count, 0) as leg_count,
        coalesce(recordings_by_call.recording_count, 0) as recording_count,

        call_logs.started_at as known_start,
        coalesce(call_logs.started_at, first_moments.first_at) as started_at,
        targets_by_call.answered_at,
        call_logs.ended_at

    from call_logs
    left join targets_by_call
        on
            call_logs.account = targets_by_call.account
            and call_logs.id = targets_by_call.id
    left join recordings_by_call
        on
            call_logs.account = recordings_by_call.account
            and call_logs.id = recordings_by_call.id
    left join first_moments
        on
            call_logs.account = first_moments.account
            and call_logs.id = first_moments.provider_call_id
    left join extensions as caller_extension
        on
            call_logs.account = caller_extension.account
            and call_logs.caller = caller_extension.extension_number
    left join extensions as callee_extension
        on
            call_logs.account = callee_extension.account
            and call_logs.callee = callee_extension.extension_number

),

measured as (

    select
        *,
        call_state = 'answered' as is_answered,
        call_state in ('answered', 'not_answered') or ended_at is not null as is_over,
        case when call_state = 'answered' then duration else coalesce(duration, 0) end as talk_seconds,
        cast(floor(extract(epoch from ended_at) - extract(epoch from known_start)) as bigint) as total_seconds
    from joined

),

timed as (

    select
        *,
        case when total_seconds >= talk_seconds then total_seconds - talk_seconds end as untalked_seconds
    from measured

),

final as (

    select
        'etelecom' as provider,
        account,
        provider_call_id,

        started_at,
        case
            when is_answered
                then coalesce(
                    answered_at, make_timestamptz(epoch_us(known_start) + 1000000 * untalked_seconds)
                )
        end as answered_at,
        ended_at,

        case
            when direction = 'in' then 'inbound'
            when direction = 'out' then 'outbound'
            when direction in ('ext', 'ext_in', 'ext_out') then 'internal'
            else 'unknown'
        end as direction,
        case
            when call_state = 'not_answered' then 'no_answer'
            when not is_over then 'in_progress'
            else 'unknown'
        end as unanswered_outcome,
        started_at + interval '24 hours' as unknown_from,
        is_answered,
        is_over,

        caller as from_number,
        callee as to_number,
        case
            when direction = 'in' and not is_callee_extension then callee
            when direction = 'out' and not is_caller_extension then caller
        end as hotline_number,
        extension_id as agent_id,

        coalesce(
            case when is_answered then ring_seconds else longest_ring_seconds end,
            untalked_seconds
        ) as ring_seconds,
        talk_seconds,
        total_seconds,

        cast(null as decimal(18, 9)) as cost,
        cast(null as varchar) as currency,

        leg_count,
        recording_count

    from timed

)

select * from final
