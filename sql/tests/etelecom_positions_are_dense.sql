-- The children of a eTelecom call are numbered 0, 1, 2, … without a hole.
select
    'call_logs__call_targets' as table_name,
    account,
    id as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from etelecom.call_logs__call_targets
group by account, id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)

union all

select
    'call_logs__recording_urls' as table_name,
    account,
    id as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from etelecom.call_logs__recording_urls
group by account, id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)
