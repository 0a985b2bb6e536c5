-- Every missed call is one row of missed_calls, and nothing else is.
with

expected as (

    select
        provider,
        account,
        provider_call_id
    from reporting.calls
    where is_missed

),

found as (

    select
        provider,
        account,
        provider_call_id,
        count(*) as row_count
    from reporting.missed_calls
    group by provider, account, provider_call_id

)

select
    coalesce(expected.provider, found.provider) as provider,
    coalesce(expected.account, found.account) as account,
    coalesce(expected.provider_call_id, found.provider_call_id) as provider_call_id,
    found.row_count
from expected
full outer join found
    on
        expected.provider = found.provider
        and expected.account = found.account
        and expected.provider_call_id = found.provider_call_id
where
    expected.provider is null
    or found.provider is null
    or found.row_count <> 1
