-- Offenders: kept rows that their definition gives otherwise, or not at all, and rows that were not kept.
with

kept as (

    select * from callsync.reported_calls

),

defined as (

    select * from intermediate.calls_with_outcome

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
