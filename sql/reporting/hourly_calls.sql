-- Grain: one row a provider, account, direction, weekday and hour of the local clock that had calls.
-- weekday runs from 1, Monday, to 7, Sunday; hour from 0 to 23.
with

calls as (

    select
        *,
        date_trunc('hour', local_started_at) as local_hour
    from intermediate.current_calls

),

-- An hour that the clock shows twice, where it is put back, is one hour of that date.
by_date_and_hour as (

    select
        provider,
        account,
        direction,
        local_hour,

        count(*) as calls,
        count(case when outcome <> 'in_progress' then 1 end) as finished_calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,

        sum(ring_seconds) as ring_seconds,
        sum(talk_seconds) as talk_seconds,
        sum(total_seconds) as total_seconds

    from calls
    group by provider, account, direction, local_hour

),

by_weekday_and_hour as (

    select
        provider,
        account,
        direction,
        cast(extract(isodow from local_hour) as integer) as weekday,
        cast(extract(hour from local_hour) as integer) as hour,

        count(*) as active_days,
        cast(sum(calls) as bigint) as calls,
        cast(sum(finished_calls) as bigint) as finished_calls,
        cast(sum(answered_calls) as bigint) as answered_calls,
        cast(sum(missed_calls) as bigint) as missed_calls,

        cast(sum(ring_seconds) as bigint) as ring_seconds,
        cast(sum(talk_seconds) as bigint) as talk_seconds,
        cast(sum(total_seconds) as bigint) as total_seconds

    from by_date_and_hour
    group by
        provider,
        account,
        direction,
        extract(isodow from local_hour),
        extract(hour from local_hour)

),

final as (

    select
        provider,
        account,
        direction,
        weekday,
        hour,

        active_days,
        calls,
        finished_calls,
        answered_calls,
        missed_calls,
        cast(answered_calls as double) / nullif(finished_calls, 0) as answer_rate,

        ring_seconds,
        talk_seconds,
        total_seconds

    from by_weekday_and_hour

)

select * from final
