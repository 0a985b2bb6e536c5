-- Offenders: kept rows that their definition gives otherwise, or not at all, and rows that were not kept.
-- A call that time has made unknown since the last run is left to the next one.
with

kept as (

    select * from callsync.reported_calls

),

due as (

    select
        provider,
        account,
        provider_call_id
    from kept
    where unknown_from <= current_timestamp

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

),

offenders as (

    select
        *,
        'not as defined' as offence
    from not_defined

    union all

    select
        *,
        'not kept' as offence
    from not_kept

)

select
    offenders.provider,
    offenders.account,
    offenders.provider_call_id,
    offenders.offence
from offenders
left join due
    on
        offenders.provider = due.provider
        and offenders.account = due.account
        and offenders.provider_call_id = due.provider_call_id
where due.provider_call_id is null
