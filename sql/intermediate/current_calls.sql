-- Grain: one row a call of any provider. Key: call_id.
with

calls as (

    select * from callsync.reported_calls

),

final as (

    select
        concat(provider, '/', account, '/', provider_call_id) as call_id,
        provider,
        account,
        provider_call_id,

        started_at,
        answered_at,
        ended_at,
        local_started_at,

        direction,
        outcome,
        is_answered,
        is_missed,

        from_number,
        to_number,
        from_e164,
        to_e164,
        contact_number,
        hotline_number,
        agent_id,

        ring_seconds,
        talk_seconds,
        total_seconds,

        cost,
        currency,

        leg_count,
        recording_count

    from calls

)

select * from final
