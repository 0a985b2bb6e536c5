-- Grain: one row a call of any provider. Key: provider, account, provider_call_id.
-- What "missed" means stands here once: inbound, over and not answered.
-- Nothing here depends on the present time, so that callsync.reported_calls can keep the rows.
with

calls as (

    select
        *,
        direction = 'inbound' and is_over and not is_answered as is_missed
    from intermediate.calls

),

phone_numbers as (

    select * from callsync.phone_numbers

),

settings as (

    select * from callsync.settings

),

joined as (

    select
        calls.*,
        calls.started_at at time zone settings.reporting_timezone as local_started_at,
        from_phone.e164 as from_e164,
        from_phone.kind as from_kind,
        to_phone.e164 as to_e164,
        to_phone.kind as to_kind
    from calls
    cross join settings
    left join phone_numbers as from_phone
        on calls.from_number = from_phone.number
    left join phone_numbers as to_phone
        on calls.to_number = to_phone.number

),

final as (

    select
        provider,
        account,
        provider_call_id,

        started_at,
        answered_at,
        ended_at,
        local_started_at,

        direction,
        case
            when is_answered then 'answered'
            when is_missed then 'missed'
            else unanswered_outcome
        end as outcome,
        unknown_from,
        is_answered,
        is_missed,

        from_number,
        to_number,
        from_e164,
        to_e164,
        case
            when direction = 'inbound' and coalesce(from_kind, '') <> 'withheld'
                then coalesce(from_e164, from_number)
            when direction = 'outbound' and coalesce(to_kind, '') <> 'withheld'
                then coalesce(to_e164, to_number)
        end as contact_number,
        hotline_number,
        agent_id,

        ring_seconds,
        talk_seconds,
        total_seconds,

        cost,
        currency,

        leg_count,
        recording_count

    from joined

)

select * from final
