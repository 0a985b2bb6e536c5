-- No child row of a VBot call outlives its call.
select
    'calls__caller' as table_name,
    child.account,
    child.group_id as provider_call_id,
    child.position
from vbot.calls__caller as child
left join vbot.calls as parent
    on
        child.account = parent.account
        and child.group_id = parent.group_id
where parent.group_id is null

union all

select
    'calls__callee' as table_name,
    child.account,
    child.group_id as provider_call_id,
    child.position
from vbot.calls__callee as child
left join vbot.calls as parent
    on
        child.account = parent.account
        and child.group_id = parent.group_id
where parent.group_id is null

union all

select
    'calls__record_file' as table_name,
    child.account,
    child.group_id as provider_call_id,
    child.position
from vbot.calls__record_file as child
left join vbot.calls as parent
    on
        child.account = parent.account
        and child.group_id = parent.group_id
where parent.group_id is null
