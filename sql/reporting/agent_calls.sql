-- Grain: one row a local date, provider, account and agent that had calls.
-- A call without an agent is in no row.
with

calls as (

    select
        *,
        cast(local_started_at as date) as local_date
    from intermediate.current_calls
    where agent_id is not null

),

agents as (

    select * from intermediate.agents

),

by_day as (

    select
        local_date,
        provider,
        account,
        agent_id,

        count(*) as calls,
        count(case when direction = 'inbound' then 1 end) as inbound_calls,
        count(case when direction = 'outbound' then 1 end) as outbound_calls,
        count(case when direction = 'internal' then 1 end) as internal_calls,
        count(case when outcome <> 'in_progress' then 1 end) as finished_calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,
        count(case when is_answered then talk_seconds end) as talked_calls,

        cast(sum(ring_seconds) as bigint) as ring_seconds,
        cast(sum(talk_seconds) as bigint) as talk_seconds,
        cast(sum(total_seconds) as bigint) as total_seconds,
        cast(sum(case when is_answered then talk_seconds end) as bigint) as answered_talk_seconds

    from calls
    group by local_date, provider, account, agent_id

),

final as (

    select
        by_day.local_date,
        by_day.provider,
        by_day.account,
        by_day.agent_id,
        agents.agent_name,

        by_day.calls,
        by_day.inbound_calls,
        by_day.outbound_calls,
        by_day.internal_calls,
        by_day.finished_calls,
        by_day.answered_calls,
        by_day.missed_calls,
        cast(by_day.answered_calls as double) / nullif(by_day.finished_calls, 0) as answer_rate,

        by_day.ring_seconds,
        by_day.talk_seconds,
        by_day.total_seconds,

        by_day.talked_calls,
        by_day.answered_talk_seconds,
        cast(by_day.answered_talk_seconds as double) / nullif(by_day.talked_calls, 0) as average_talk_seconds

    from by_day
    left join agents
        on
            by_day.provider = agents.provider
            and by_day.account = agents.account
            and by_day.agent_id = agents.agent_id

)

select * from final
