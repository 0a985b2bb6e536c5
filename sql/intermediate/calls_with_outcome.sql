-- Grain: one row a call of any provider. Key: provider, account, provider_call_id.
-- What "missed" means stands here once: inbound, over and not answered.
-- One thing depends on the present time: a call in progress for longer than its provider can mean is unknown.
-- callsync.reported_calls keeps the rows, and each run takes that step for those it is due for.
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

with_outcome as (

    select
        *,
        case
            when is_answered then 'answered'
            when is_missed then 'missed'
            when unanswered_outcome = 'in_progress' and unknown_from <= current_timestamp then 'unknown'
            else unanswered_outcome
        end as outcome
    from joined

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
        outcome,
        case when outcome = 'in_progress' then unknown_from end as unknown_from,
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

    from with_outcome

)

select * from final
