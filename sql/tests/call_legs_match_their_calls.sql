-- leg_count is the number of legs, and no leg stands without its call.
with

legs as (

    select
        call_id,
        count(*) as leg_count
    from reporting.call_legs
    group by call_id

)

select
    coalesce(calls.call_id, legs.call_id) as call_id,
    calls.leg_count as expected_legs,
    legs.leg_count as found_legs
from reporting.calls as calls
full outer join legs
    on calls.call_id = legs.call_id
where
    calls.call_id is null
    or calls.leg_count <> coalesce(legs.leg_count, 0)
