-- Grain: one row a user of a Voximplant account. Key: provider, account, agent_id.
with

source as (

    select * from voximplant.users

),

final as (

    select
        'voximplant' as provider,
        account,
        cast(user_id as varchar) as agent_id,
        coalesce(
            max(nullif(trim(user_display_name), '')),
            max(nullif(trim(user_name), ''))
        ) as agent_name
    from source
    where user_id is not null
    group by account, user_id

)

select * from final
