-- Grain: one row a finished interval [range_start, range_end) of an account. Key: name, range_start.
-- The one place that takes JSON apart; intervals that overlap or touch are one interval.
with

accounts as (

    select * from callsync.accounts

),

intervals as (

    select
        accounts.provider,
        accounts.account,
        accounts.name,
        cast(json_extract_string(entry.value, '$[0]') as timestamp with time zone) as range_start,
        cast(json_extract_string(entry.value, '$[1]') as timestamp with time zone) as range_end
    from accounts
    cross join json_each(accounts.finished) as entry

),

flagged as (

    select
        *,
        case
            when
                range_start <= max(range_end) over (
                    partition by name
                    order by range_start, range_end
                    rows between unbounded preceding and 1 preceding
                )
                then 0
            else 1
        end as is_first
    from intervals

),

numbered as (

    select
        *,
        sum(is_first) over (
            partition by name
            order by range_start, range_end
            rows between unbounded preceding and current row
        ) as range_number
    from flagged

),

final as (

    select
        provider,
        account,
        name,
        min(range_start) as range_start,
        max(range_end) as range_end
    from numbered
    group by provider, account, name, range_number

)

select * from final
