-- Grain: one row a call of any provider. Key: call_id.
-- What "missed" means stands here once: inbound, over and not answered.
with

calls as (

    select
        *,
        direction = 'inbound' and is_over and not is_answered as is_missed
    from intermediate.calls

),

final as (

    select
        provider || '/' || account || '/' || provider_call_id as call_id,
        provider,
        account,
        provider_call_id,

        started_at,
        answered_at,
        ended_at,

        direction,
        case
            when is_answered then 'answered'
            when is_missed then 'missed'
            else unanswered_outcome
        end as outcome,
        is_answered,
        is_missed,

        from_number,
        to_number,
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
