-- Grain: one row a VBot call (a group), without its parties. Key: account, provider_call_id.
-- The legacy list (v1, v2) and the m-cdr list (v3) name the same things differently; here they have one name.
with

source as (

    select * from vbot.calls

),

renamed as (

    select
        account,
        group_id as provider_call_id,
        trans_id,

        coalesce(hotline_number, hotline) as hotline_number,
        upper(trim(type_call)) as call_type,
        upper(trim(disposition)) as disposition,
        currency,

        time_call as talk_seconds,
        coalesce(duration_call, duration) as total_seconds,
        postage,

        coalesce(is_record, false) as is_recorded,
        coalesce(upper(trim(disposition)) in ('ANSWER', 'ANSWERED'), false) as is_answered,

        coalesce(date_create, create_at) as created_at,
        call_at as talk_started_at,
        coalesce(date_create, create_at, call_at) as started_at

    from source

)

select * from renamed
