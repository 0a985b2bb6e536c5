-- Grain: one row a party of a VBot call. Key: account, provider_call_id, role, position.
-- is_answered is NULL where the party has no disposition of its own: always in v3, often on a legacy caller.
with

callers as (

    select * from vbot.calls__caller

),

callees as (

    select * from vbot.calls__callee

),

renamed as (

    select
        account,
        group_id as provider_call_id,
        'caller' as role,
        position,

        coalesce(phone, number) as number,
        member_no,
        name,
        upper(trim(disposition)) as disposition,

        time_call as talk_seconds,
        duration_call as total_seconds,
        postage,

        upper(trim(disposition)) in ('ANSWER', 'ANSWERED') as is_answered,

        date_create as started_at

    from callers

    union all

    select
        account,
        group_id as provider_call_id,
        'callee' as role,
        position,

        coalesce(phone, number) as number,
        member_no,
        name,
        upper(trim(disposition)) as disposition,

        time_call as talk_seconds,
        duration_call as total_seconds,
        postage,

        upper(trim(disposition)) in ('ANSWER', 'ANSWERED') as is_answered,

        date_create as started_at

    from callees

)

select * from renamed
