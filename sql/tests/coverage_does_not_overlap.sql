-- The covered and missing ranges of an account have a length and do not overlap.
with

ranges as (

    select
        *,
        lag(range_end) over (partition by name order by range_start) as previous_end
    from reporting.coverage

)

select
    name,
    state,
    range_start,
    range_end,
    previous_end
from ranges
where
    range_start >= range_end
    or previous_end > range_start
