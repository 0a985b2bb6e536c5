-- A cost is never negative, and always in some currency.
select
    call_id,
    cost,
    currency
from reporting.calls
where
    cost < 0
    or (cost is not null and currency is null)
