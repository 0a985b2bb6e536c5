-- What do calls cost, by month and provider?
select
    local_month,
    provider,
    currency,
    sum(costed_calls) as calls,
    round(sum(cost), 2) as cost,
    round(sum(cost) * 60 / nullif(sum(costed_talk_seconds), 0), 4) as cost_per_minute
from reporting.monthly_costs
where costed_calls > 0
group by local_month, provider, currency
order by local_month, provider
