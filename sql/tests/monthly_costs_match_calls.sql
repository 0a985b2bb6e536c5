-- The months of an account add up to its calls and to their cost, currency by currency.
with

calls as (

    select
        provider,
        account,
        coalesce(currency, '') as currency,
        count(*) as calls,
        count(cost) as costed_calls,
        coalesce(sum(cost), 0) as cost
    from reporting.calls
    group by provider, account, coalesce(currency, '')

),

months as (

    select
        provider,
        account,
        coalesce(currency, '') as currency,
        sum(calls) as calls,
        sum(costed_calls) as costed_calls,
        coalesce(sum(cost), 0) as cost
    from reporting.monthly_costs
    where local_month = cast(date_trunc('month', local_month) as date)
    group by provider, account, coalesce(currency, '')

)

select
    calls.provider,
    calls.account,
    calls.currency,
    calls.calls,
    months.calls as monthly_calls,
    calls.costed_calls,
    months.costed_calls as monthly_costed_calls,
    calls.cost,
    months.cost as monthly_cost
from calls
left join months
    on
        calls.provider = months.provider
        and calls.account = months.account
        and calls.currency = months.currency
where
    months.calls is null
    or calls.calls <> months.calls
    or calls.costed_calls <> months.costed_calls
    or calls.cost <> months.cost
