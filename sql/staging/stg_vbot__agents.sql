-- Grain: one row a member of a VBot account. Key: provider, account, agent_id.
with

source as (

    select * from vbot.members

),

final as (

    select
        'vbot' as provider,
        account,
        member_no as agent_id,
        max(nullif(trim(member_name), '')) as agent_name
    from source
    where member_no is not null
    group by account, member_no

)

select * from final
