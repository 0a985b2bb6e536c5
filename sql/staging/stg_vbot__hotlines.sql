-- Grain: one row a hotline of a VBot account. Key: provider, account, hotline_number.
with

source as (

    select * from vbot.hotlines

),

final as (

    select
        'vbot' as provider,
        account,
        hotline_number,
        max(nullif(trim(hotline_name), '')) as hotline_name
    from source
    where hotline_number is not null
    group by account, hotline_number

)

select * from final
