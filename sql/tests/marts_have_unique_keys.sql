-- Every mart has one row a key: no name joined to it doubles a row.
select
    'daily_calls' as relation,
    count(*) as row_count,
    cast(local_date as varchar) || ' ' || provider || '/' || account || ' ' || direction as row_key
from reporting.daily_calls
group by local_date, provider, account, direction
having count(*) > 1

union all

select
    'hourly_calls' as relation,
    count(*) as row_count,
    provider || '/' || account || ' ' || direction || ' ' || cast(weekday as varchar) || ' '
    || cast(hour as varchar) as row_key
from reporting.hourly_calls
group by provider, account, direction, weekday, hour
having count(*) > 1

union all

select
    'agent_calls' as relation,
    count(*) as row_count,
    cast(local_date as varchar) || ' ' || provider || '/' || account || ' ' || agent_id as row_key
from reporting.agent_calls
group by local_date, provider, account, agent_id
having count(*) > 1

union all

select
    'hotline_calls' as relation,
    count(*) as row_count,
    cast(local_date as varchar) || ' ' || provider || '/' || account || ' ' || hotline_number as row_key
from reporting.hotline_calls
group by local_date, provider, account, hotline_number
having count(*) > 1

union all

select
    'monthly_costs' as relation,
    count(*) as row_count,
    cast(local_month as varchar) || ' ' || provider || '/' || account || ' ' || direction || ' '
    || coalesce(currency, '') as row_key
from reporting.monthly_costs
group by local_month, provider, account, direction, currency
having count(*) > 1

union all

select
    'service_level' as relation,
    count(*) as row_count,
    cast(local_date as varchar) || ' ' || provider || '/' || account || ' ' || coalesce(hotline_number, '')
        as row_key
from reporting.service_level
group by local_date, provider, account, hotline_number
having count(*) > 1

union all

select
    'repeat_callers' as relation,
    count(*) as row_count,
    provider || '/' || account || ' ' || cast(min(first_call_at) as varchar) as row_key
from reporting.repeat_callers
group by provider, account, contact_number
having count(*) > 1
