-- No child row of a eTelecom call outlives its call.
select
    'call_logs__call_targets' as table_name,
    child.account,
    child.id as provider_call_id,
    child.position
from etelecom.call_logs__call_targets as child
left join etelecom.call_logs as parent
    on
        child.account = parent.account
        and child.id = parent.id
where parent.id is null

union all

select
    'call_logs__recording_urls' as table_name,
    child.account,
    child.id as provider_call_id,
    child.position
from etelecom.call_logs__recording_urls as child
left join etelecom.call_logs as parent
    on
        child.account = parent.account
        and child.id = parent.id
where parent.id is null
