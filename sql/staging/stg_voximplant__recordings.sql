-- Grain: one row a record of a Voximplant call session. Key: account, provider_call_id, position.
with

source as (

    select * from voximplant.call_sessions__records

),

final as (

    select
        'voximplant' as provider,
        account,
        cast(call_session_history_id as varchar) as provider_call_id,
        position,

        cast(record_id as varchar) as recording_id,
        record_url as url,

        start_time as started_at,
        duration as duration_seconds

    from source

)

select * from final
