-- The children of a VBot call are numbered 0, 1, 2, … without a hole.
select
    'calls__caller' as table_name,
    account,
    group_id as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from vbot.calls__caller
group by account, group_id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)

union all

select
    'calls__callee' as table_name,
    account,
    group_id as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from vbot.calls__callee
group by account, group_id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)

union all

select
    'calls__record_file' as table_name,
    account,
    group_id as provider_call_id,
    count(*) as row_count,
    min(position) as lowest_position,
    max(position) as highest_position
from vbot.calls__record_file
group by account, group_id
having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)
