-- Grain: one row a call (a VBot group, an eTelecom call log, a Voximplant session). Key: call_id.
with

calls as (

    select * from intermediate.calls_with_outcome

),

phone_numbers as (

    select * from callsync.phone_numbers

),

final as (

    select
        calls.call_id,
        calls.provider,
        calls.account,
        calls.provider_call_id,

        calls.started_at,
        calls.answered_at,
        calls.ended_at,

        calls.direction,
        calls.outcome,
        calls.is_answered,
        calls.is_missed,

        calls.from_number,
        calls.to_number,
        from_phone.e164 as from_e164,
        to_phone.e164 as to_e164,
        calls.hotline_number,
        calls.agent_id,

        calls.ring_seconds,
        calls.talk_seconds,
        calls.total_seconds,

        calls.cost,
        calls.currency,

        calls.leg_count,
        calls.recording_count

    from calls
    left join phone_numbers as from_phone
        on calls.from_number = from_phone.number
    left join phone_numbers as to_phone
        on calls.to_number = to_phone.number

)

select * from final
