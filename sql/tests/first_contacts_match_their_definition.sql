-- Offenders: kept first contacts that their definition gives otherwise, or not at all, and those not kept.
with

kept as (

    select * from callsync.first_contacts

),

defined as (

    select * from intermediate.first_contacts

),

not_defined as (

    select * from kept
    except
    select * from defined

),

not_kept as (

    select * from defined
    except
    select * from kept

)

select
    provider,
    account,
    provider_call_id,
    'not as defined' as offence
from not_defined

union all

select
    provider,
    account,
    provider_call_id,
    'not kept' as offence
from not_kept
