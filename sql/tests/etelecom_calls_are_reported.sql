-- Every eTelecom call is one row of reporting.calls, and nothing else is.
with

stored as (

    select
        account,
        id as provider_call_id
    from etelecom.call_logs

),

reported as (

    select
        account,
        provider_call_id
    from reporting.calls
    where provider = 'etelecom'

)

select
    coalesce(stored.account, reported.account) as account,
    coalesce(stored.provider_call_id, reported.provider_call_id) as provider_call_id
from stored
full outer join reported
    on
        stored.account = reported.account
        and stored.provider_call_id = reported.provider_call_id
where
    stored.account is null
    or reported.account is null
