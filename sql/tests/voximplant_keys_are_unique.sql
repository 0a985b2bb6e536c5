-- Every Voximplant call, and every child by its position, is there once.
select
    'call_sessions' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    cast(null as bigint) as position,
    count(*) as row_count
from voximplant.call_sessions
group by account, call_session_history_id
having count(*) > 1

union all

select
    'call_sessions__calls' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    position,
    count(*) as row_count
from voximplant.call_sessions__calls
group by account, call_session_history_id, position
having count(*) > 1

union all

select
    'call_sessions__records' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    position,
    count(*) as row_count
from voximplant.call_sessions__records
group by account, call_session_history_id, position
having count(*) > 1

union all

select
    'call_sessions__other_resource_usage' as table_name,
    account,
    cast(call_session_history_id as varchar) as provider_call_id,
    position,
    count(*) as row_count
from voximplant.call_sessions__other_resource_usage
group by account, call_session_history_id, position
having count(*) > 1
