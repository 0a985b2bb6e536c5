-- Grain: one row a recording of a call. Key: call_id, position.
with

recordings as (

    select * from intermediate.recordings

),

final as (

    select
        concat(provider, '/', account, '/', provider_call_id) as call_id,
        provider,
        account,
        provider_call_id,
        position,

        recording_id,
        url,

        started_at,
        duration_seconds

    from recordings

)

select * from final
