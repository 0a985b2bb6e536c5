-- Offenders: accounts with kept rows of callers that their definition gives otherwise, or not at all, and
-- those with rows that were not kept.
with

kept as (

    select * from callsync.repeat_callers

),

defined as (

    select * from intermediate.repeat_callers

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
    calls,
    last_call_at,
    'not as defined' as offence
from not_defined

union all

select
    provider,
    account,
    calls,
    last_call_at,
    'not kept' as offence
from not_kept
