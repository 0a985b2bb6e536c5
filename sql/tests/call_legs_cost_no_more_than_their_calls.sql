-- What the legs of a call cost together is part of what the call cost, in the same currency.
with

legs as (

    select
        call_id,
        sum(cost) as cost,
        min(currency) as lowest_currency,
        max(currency) as highest_currency
    from reporting.call_legs
    where cost is not null
    group by call_id

)

select
    calls.call_id,
    calls.cost,
    calls.currency,
    legs.cost as cost_of_legs,
    legs.lowest_currency,
    legs.highest_currency
from legs
inner join reporting.calls as calls
    on legs.call_id = calls.call_id
where
    calls.cost is null
    or calls.cost < legs.cost
    or legs.lowest_currency <> calls.currency
    or legs.highest_currency <> calls.currency
