-- The children of a Voximplant call are numbered 0, 1, 2, … without a hole.
select
    'call_sessions__calls' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from voximplant.call_sessions__calls
group by account, call_session_history_id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)

union all

select
    'call_sessions__records' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from voximplant.call_sessions__records
group by account, call_session_history_id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)

union all

select
    'call_sessions__other_resource_usage' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from voximplant.call_sessions__other_resource_usage
group by account, call_session_history_id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)
