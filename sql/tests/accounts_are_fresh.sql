-- Every configured account is read until no longer ago than freshness_hours.
select
    name,
    cursor,
    minutes_behind,
    last_success_at
from reporting.freshness
where is_stale
