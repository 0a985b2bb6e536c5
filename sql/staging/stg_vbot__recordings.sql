-- Grain: one row a recording of a VBot call. Key: account, provider_call_id, position.
with

history as (

    select * from staging.stg_vbot__history

),

record_files as (

    select * from vbot.calls__record_file

),

-- The legacy list gives addresses that end in /record/{id}.
listed as (

    select
        record_files.account,
        record_files.group_id as provider_call_id,
        record_files.position,
        nullif(split_part(split_part(record_files.value, '/record/', 2), '?', 1), '') as recording_id,
        record_files.value as url,
        history.started_at
    from record_files
    left join history
        on
            record_files.account = history.account
            and record_files.group_id = history.provider_call_id

),

-- v3 only says that there is a recording; it is asked for by trans_id.
flagged as (

    select
        history.account,
        history.provider_call_id,
        cast(0 as bigint) as position,
        history.trans_id as recording_id,
        cast(null as varchar) as url,
        history.started_at
    from history
    left join record_files
        on
            history.account = record_files.account
            and history.provider_call_id = record_files.group_id
    where
        history.is_recorded
        and record_files.group_id is null

),

combined as (

    select * from listed

    union all

    select * from flagged

),

final as (

    select
        'vbot' as provider,
        account,
        provider_call_id,
        position,

        recording_id,
        url,

        started_at,
        cast(null as bigint) as duration_seconds

    from combined

)

select * from final
