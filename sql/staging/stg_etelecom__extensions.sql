-- Grain: one row an extension number of an eTelecom account. Key: account, extension_number.
-- A number that several extensions bear (two tenants, or one deleted and made anew) names none of them.
with

source as (

    select * from etelecom.extensions

),

final as (

    select
        account,
        extension_number,
        case when count(*) = 1 then max(id) end as extension_id
    from source
    where extension_number is not null
    group by account, extension_number

)

select * from final
