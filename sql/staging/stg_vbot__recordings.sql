-- Grain: one row a recording of a VBot call. Key: account, provider_call_id, position.
with

history as (

    select * from staging.stg_vbot__history

),

record_files as (

    select * from vbot.calls__record_file

),

-- The legacy list gives addresses that end in /record/{id}. v3 only says that there is a recording, which is
-- asked for by trans_id.
combined as (

    select
        coalesce(record_files.account, history.account) as account,
        coalesce(record_files.group_id, history.provider_call_id) as provider_call_id,
        coalesce(record_files.position, 0) as position,

        case
            when record_files.group_id is null then history.trans_id
            else nullif(split_part(split_part(record_files.value, '/record/', 2), '?', 1), '')
        end as recording_id,
        record_files.value as url,

        history.started_at

    from history
    full outer join record_files
        on
            history.account = record_files.account
            and history.provider_call_id = record_files.group_id
    where
        record_files.group_id is not null
        or history.is_recorded

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
