-- Grain: one row an account that any run has selected. Key: name.
with

accounts as (

    select * from callsync.accounts

),

settings as (

    select * from callsync.settings

),

newest_calls as (

    select
        provider,
        account,
        max(started_at) as newest_call_at
    from intermediate.current_calls
    group by provider, account

),

last_successes as (

    select
        account as name,
        max(finished_at) as last_success_at
    from callsync.run_accounts
    where status = 'ok'
    group by account

),

-- Minutes are differences of epochs, because those of times count days in the reader's zone.
now as (

    select extract(epoch from current_timestamp) as epoch

),

final as (

    select
        accounts.provider,
        accounts.account,
        accounts.name,

        accounts.cursor,
        newest_calls.newest_call_at,
        last_successes.last_success_at,

        cast(floor((now.epoch - extract(epoch from accounts.cursor)) / 60) as bigint) as minutes_behind,
        cast(floor((now.epoch - extract(epoch from last_successes.last_success_at)) / 60) as bigint)
            as minutes_since_success,
        accounts.cursor is null
        or now.epoch - extract(epoch from accounts.cursor) > 3600 * settings.freshness_hours as is_stale

    from accounts
    cross join settings
    cross join now
    left join newest_calls
        on
            accounts.provider = newest_calls.provider
            and accounts.account = newest_calls.account
    left join last_successes
        on accounts.name = last_successes.name

)

select * from final
