-- Grain: one row a call (a VBot group, an eTelecom call log, a Voximplant session). Key: call_id.
with

calls as (

    select * from intermediate.current_calls

),

final as (

    select
        call_id,
        provider,
        account,
        provider_call_id,

        started_at,
        answered_at,
        ended_at,

        direction,
        outcome,
        is_answered,
        is_missed,

        from_number,
        to_number,
        from_e164,
        to_e164,
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
