-- Grain: one row an extension of an eTelecom account. Key: provider, account, agent_id.
-- eTelecom names no extension: its number is the name people know it by.
with

source as (

    select * from etelecom.extensions

),

final as (

    select
        'etelecom' as provider,
        account,
        id as agent_id,
        max(nullif(trim(extension_number), '')) as agent_name
    from source
    where id is not null
    group by account, id

)

select * from final
