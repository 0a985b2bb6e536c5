-- Every configured account is read until no longer ago than freshness_hours.
select
    freshness.name,
    freshness.cursor,
    freshness.minutes_behind,
    freshness.last_success_at
from reporting.freshness as freshness
inner join callsync.configured_accounts as configured
    on freshness.name = configured.name
where freshness.is_stale
