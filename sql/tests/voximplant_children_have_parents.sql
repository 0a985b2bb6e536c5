-- No child row of a Voximplant call outlives its call.
select
    'call_sessions__calls' as table_name,
    child.account,
    cast(child.call_session_history_id as varchar) as provider_call_id,
    child.position
from voximplant.call_sessions__calls as child
left join voximplant.call_sessions as parent
    on
        child.account = parent.account
        and child.call_session_history_id = parent.call_session_history_id
where parent.call_session_history_id is null

union all

select
    'call_sessions__records' as table_name,
    child.account,
    cast(child.call_session_history_id as varchar) as provider_call_id,
    child.position
from voximplant.call_sessions__records as child
left join voximplant.call_sessions as parent
    on
        child.account = parent.account
        and child.call_session_history_id = parent.call_session_history_id
where parent.call_session_history_id is null

union all

select
    'call_sessions__other_resource_usage' as table_name,
    child.account,
    cast(child.call_session_history_id as varchar) as provider_call_id,
    child.position
from voximplant.call_sessions__other_resource_usage as child
left join voximplant.call_sessions as parent
    on
        child.account = parent.account
        and child.call_session_history_id = parent.call_session_history_id
where parent.call_session_history_id is null
