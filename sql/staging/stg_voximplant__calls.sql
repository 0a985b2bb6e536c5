-- Grain: one row a Voximplant call session. Key: account, provider_call_id.
with

sessions as (

    select * from voximplant.call_sessions

),

legs as (

    select * from voximplant.call_sessions__calls

),

records as (

    select * from voximplant.call_sessions__records

),

other_resources as (

    select * from voximplant.call_sessions__other_resource_usage

),

account_info as (

    select * from voximplant.account_info

),

ordered_legs as (

    select
        *,
        row_number() over (
            partition by account, call_session_history_id
            order by start_time asc nulls last, call_id asc nulls last, position asc
        ) as leg_number
    from legs

),

legs_by_session as (

    select
        account,
        call_session_history_id,
        count(*) as leg_count,
        sum(cost) as cost,
        coalesce(bool_or(leg_number = 1 and incoming), false) as is_incoming,
        coalesce(bool_or(leg_number = 1 and successful), false) as is_first_successful,
        coalesce(bool_or(leg_number > 1 and successful), false) as is_other_successful,
        max(case when leg_number = 1 then local_number end) as local_number,
        max(case when leg_number = 1 then remote_number end) as remote_number,
        max(case when leg_number = 1 then duration end) as first_seconds,
        max(case when leg_number > 1 and successful then duration end) as longest_other_seconds
    from ordered_legs
    group by account, call_session_history_id

),

records_by_session as (

    select
        account,
        call_session_history_id,
        count(*) as recording_count,
        sum(cost) as cost
    from records
    group by account, call_session_history_id

),

other_resources_by_session as (

    select
        account,
        call_session_history_id,
        sum(cost) as cost
    from other_resources
    group by account, call_session_history_id

),

joined as (

    select
        sessions.account,
        sessions.call_session_history_id,
        sessions.user_id,

        sessions.finish_reason,
        account_info.currency,
        legs_by_session.local_number,
        legs_by_session.remote_number,

        sessions.duration as total_seconds,
        legs_by_session.first_seconds,
        legs_by_session.longest_other_seconds,
        coalesce(legs_by_session.leg_count, 0) as leg_count,
        coalesce(records_by_session.recording_count, 0) as recording_count,
        coalesce(legs_by_session.cost, records_by_session.cost, other_resources_by_session.cost) is not null
            as has_cost,
        coalesce(legs_by_session.cost, 0)
        + coalesce(records_by_session.cost, 0)
        + coalesce(other_resources_by_session.cost, 0) as summed_cost,

        coalesce(legs_by_session.is_incoming, false) as is_incoming,
        coalesce(legs_by_session.is_first_successful, false)
        and (legs_by_session.leg_count = 1 or legs_by_session.is_other_successful) as is_answered,
        sessions.finish_reason is not null or sessions.duration is not null as is_over,

        sessions.start_date

    from sessions
    left join legs_by_session
        on
            sessions.account = legs_by_session.account
            and sessions.call_session_history_id = legs_by_session.call_session_history_id
    left join records_by_session
        on
            sessions.account = records_by_session.account
            and sessions.call_session_history_id = records_by_session.call_session_history_id
    left join other_resources_by_session
        on
            sessions.account = other_resources_by_session.account
            and sessions.call_session_history_id = other_resources_by_session.call_session_history_id
    left join account_info
        on sessions.account = account_info.account

),

-- Voximplant tells when a leg began and how long it lasted, never when it was picked up.
final as (

    select
        'voximplant' as provider,
        account,
        cast(call_session_history_id as varchar) as provider_call_id,

        start_date as started_at,
        cast(null as timestamp with time zone) as answered_at,
        make_timestamptz(epoch_us(start_date) + 1000000 * total_seconds) as ended_at,

        case
            when leg_count = 0 then 'unknown'
            when is_incoming then 'inbound'
            else 'outbound'
        end as direction,
        case
            when not is_over then 'in_progress'
            when
                finish_reason in (
                    'Insufficient funds', 'Internal error (billing timeout)', 'JS session error',
                    'Terminated administratively', 'Timeout'
                )
                then 'failed'
            when leg_count > 0 and coalesce(finish_reason, 'Normal termination') = 'Normal termination'
                then 'no_answer'
            else 'unknown'
        end as unanswered_outcome,
        cast(null as timestamp with time zone) as unknown_from,
        is_answered,
        is_over,

        case when is_incoming then remote_number else local_number end as from_number,
        case when is_incoming then local_number else remote_number end as to_number,
        case when is_incoming then local_number end as hotline_number,
        cast(user_id as varchar) as agent_id,

        cast(null as bigint) as ring_seconds,
        case
            when not is_answered then 0
            when leg_count = 1 then first_seconds
            else longest_other_seconds
        end as talk_seconds,
        total_seconds,

        case
            when has_cost and abs(summed_cost) < 1000000000 then cast(summed_cost as decimal(18, 9))
        end as cost,
        currency,

        leg_count,
        recording_count

    from joined

)

select * from final
