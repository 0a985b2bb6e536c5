-- Grain: one row a covered or missing range [range_start, range_end) of an account. Key: name, range_start.
with

accounts as (

    select
        *,
        coalesce(cursor, current_timestamp) as wanted_until
    from callsync.accounts

),

covered as (

    select * from intermediate.finished_ranges

),

-- What a sync should hold is [start_date, cursor); an empty range at its end closes the last gap.
within_wanted as (

    select
        accounts.provider,
        accounts.account,
        accounts.name,
        accounts.start_date,
        covered.range_start,
        covered.range_end
    from accounts
    inner join covered
        on
            accounts.name = covered.name
            and accounts.start_date < covered.range_end
            and accounts.wanted_until > covered.range_start

    union all

    select
        provider,
        account,
        name,
        start_date,
        wanted_until as range_start,
        wanted_until as range_end
    from accounts

),

gaps as (

    select
        provider,
        account,
        name,
        coalesce(
            max(range_end) over (
                partition by name
                order by range_start, range_end
                rows between unbounded preceding and 1 preceding
            ),
            start_date
        ) as range_start,
        range_start as range_end
    from within_wanted

),

final as (

    select
        provider,
        account,
        name,
        range_start,
        range_end,
        'covered' as state
    from covered

    union all

    select
        provider,
        account,
        name,
        range_start,
        range_end,
        'missing' as state
    from gaps
    where range_start < range_end

)

select * from final
