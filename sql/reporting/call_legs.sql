-- Grain: one row a party (VBot), target (eTelecom) or leg (Voximplant). Key: call_id, role, position.
with

call_legs as (

    select * from intermediate.call_legs

),

final as (

    select
        concat(provider, '/', account, '/', provider_call_id) as call_id,
        provider,
        account,
        provider_call_id,
        position,
        role,

        number,
        agent_id,
        display_name,

        started_at,
        answered_at,
        ended_at,

        is_answered,
        ring_seconds,
        talk_seconds,

        cost,
        currency,
        end_reason

    from call_legs

)

select * from final
