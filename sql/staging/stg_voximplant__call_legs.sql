-- Grain: one row a leg of a Voximplant call session. Key: account, provider_call_id, position.
with

legs as (

    select * from voximplant.call_sessions__calls

),

account_info as (

    select * from voximplant.account_info

),

final as (

    select
        'voximplant' as provider,
        legs.account,
        cast(legs.call_session_history_id as varchar) as provider_call_id,
        'leg' as role,
        legs.position,

        legs.remote_number as number,
        cast(null as varchar) as agent_id,
        cast(null as varchar) as display_name,

        legs.start_time as started_at,
        cast(null as timestamp with time zone) as answered_at,
        make_timestamptz(epoch_us(legs.start_time) + 1000000 * legs.duration) as ended_at,

        coalesce(legs.successful, false) as is_answered,
        cast(null as bigint) as ring_seconds,
        case when legs.successful then legs.duration else 0 end as talk_seconds,

        legs.cost,
        account_info.currency,
        cast(legs.end_reason as varchar) as end_reason

    from legs
    left join account_info
        on legs.account = account_info.account

)

select * from final
