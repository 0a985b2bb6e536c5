-- Grain: one row a recording of an eTelecom call log. Key: account, provider_call_id, position.
with

recording_urls as (

    select * from etelecom.call_logs__recording_urls

),

call_logs as (

    select * from etelecom.call_logs

),

first_moments as (

    select * from staging.stg_etelecom__first_moments

),

final as (

    select
        'etelecom' as provider,
        recording_urls.account,
        recording_urls.id as provider_call_id,
        recording_urls.position,

        cast(null as varchar) as recording_id,
        recording_urls.value as url,

        coalesce(call_logs.started_at, first_moments.first_at) as started_at,
        cast(null as bigint) as duration_seconds

    from recording_urls
    left join call_logs
        on
            recording_urls.account = call_logs.account
            and recording_urls.id = call_logs.id
    left join first_moments
        on
            recording_urls.account = first_moments.account
            and recording_urls.id = first_moments.provider_call_id

)

select * from final
