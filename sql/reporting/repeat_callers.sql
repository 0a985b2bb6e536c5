-- Grain: one row a number that called an account at least twice. Key: provider, account, contact_number.
-- What counts are inbound calls that have finished.
with

callers as (

    select * from callsync.repeat_callers

),

final as (

    select
        provider,
        account,
        contact_number,

        calls,
        answered_calls,
        missed_calls,
        cast(answered_calls as double) / nullif(calls, 0) as answer_rate,

        calls - 1 as repeat_calls,
        repeats_within_day_calls,
        active_days,
        spellings,

        first_call_at,
        last_call_at

    from callers

)

select * from final
