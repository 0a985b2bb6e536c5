-- Grain: one row a target of an eTelecom call log. Key: account, provider_call_id, position.
with

source as (

    select * from etelecom.call_logs__call_targets

),

extensions as (

    select * from staging.stg_etelecom__extensions

),

renamed as (

    select
        account,
        id as provider_call_id,
        position,

        target_number as number,
        end_reason,

        ring_duration as ring_seconds,
        cast(floor(extract(epoch from ended_time) - extract(epoch from answered_time)) as bigint)
            as talk_seconds,

        answered_time is not null or coalesce(lower(trim(status)) = 'answered', false) as is_answered,

        coalesce(add_time, ring_time) as started_at,
        answered_time as answered_at,
        ended_time as ended_at

    from source

),

final as (

    select
        'etelecom' as provider,
        renamed.account,
        renamed.provider_call_id,
        'target' as role,
        renamed.position,

        renamed.number,
        extensions.extension_id as agent_id,
        cast(null as varchar) as display_name,

        renamed.started_at,
        renamed.answered_at,
        renamed.ended_at,

        renamed.is_answered,
        renamed.ring_seconds,
        case when renamed.is_answered then renamed.talk_seconds else 0 end as talk_seconds,

        cast(null as decimal(18, 9)) as cost,
        cast(null as varchar) as currency,
        renamed.end_reason

    from renamed
    left join extensions
        on
            renamed.account = extensions.account
            and renamed.number = extensions.extension_number

)

select * from final
