-- Every eTelecom call, and every child by its position, is there once.
select
    'call_logs' as table_name,
    account,
    id as provider_call_id,
    cast(null as bigint) as position,
    count(*) as row_count
from etelecom.call_logs
group by account, id
having count(*) > 1

union all

select
    'call_logs__call_targets' as table_name,
    account,
    id as provider_call_id,
    position,
    count(*) as row_count
from etelecom.call_logs__call_targets
group by account, id, position
having count(*) > 1

union all

select
    'call_logs__recording_urls' as table_name,
    account,
    id as provider_call_id,
    position,
    count(*) as row_count
from etelecom.call_logs__recording_urls
group by account, id, position
having count(*) > 1
