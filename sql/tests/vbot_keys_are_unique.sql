-- Every VBot call, and every child by its position, is there once.
select
    'calls' as table_name,
    account,
    group_id as provider_call_id,
    cast(null as bigint) as position,
    count(*) as row_count
from vbot.calls
group by account, group_id
having count(*) > 1

union all

select
    'calls__caller' as table_name,
    account,
    group_id as provider_call_id,
    position,
    count(*) as row_count
from vbot.calls__caller
group by account, group_id, position
having count(*) > 1

union all

select
    'calls__callee' as table_name,
    account,
    group_id as provider_call_id,
    position,
    count(*) as row_count
from vbot.calls__callee
group by account, group_id, position
having count(*) > 1

union all

select
    'calls__record_file' as table_name,
    account,
    group_id as provider_call_id,
    position,
    count(*) as row_count
from vbot.calls__record_file
group by account, group_id, position
having count(*) > 1
