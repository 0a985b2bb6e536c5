-- Every Voximplant call is one row of reporting.calls, and nothing else is.
with

stored as (

    select
        account,
        cast(call_session_history_id as varchar) as provider_call_id
    from voximplant.call_sessions

),

reported as (

    select
        account,
        provider_call_id
    from reporting.calls
    where provider = 'voximplant'

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
