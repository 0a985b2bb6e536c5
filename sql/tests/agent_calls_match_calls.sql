-- The days of an agent add up to the calls that name the agent.
with

calls as (

    select
        provider,
        account,
        agent_id,
        count(*) as calls,
        count(case when is_answered then 1 end) as answered_calls,
        count(case when is_missed then 1 end) as missed_calls,
        coalesce(sum(case when is_answered then talk_seconds end), 0) as talk_seconds
    from reporting.calls
    where agent_id is not null
    group by provider, account, agent_id

),

days as (

    select
        provider,
        account,
        agent_id,
        sum(calls) as calls,
        sum(answered_calls) as answered_calls,
        sum(missed_calls) as missed_calls,
        coalesce(sum(answered_talk_seconds), 0) as talk_seconds
    from reporting.agent_calls
    where local_date is not null
    group by provider, account, agent_id

)

select
    coalesce(calls.provider, days.provider) as provider,
    coalesce(calls.account, days.account) as account,
    coalesce(calls.agent_id, days.agent_id) as agent_id,
    calls.calls,
    days.calls as daily_calls,
    calls.answered_calls,
    days.answered_calls as daily_answered_calls,
    calls.missed_calls,
    days.missed_calls as daily_missed_calls,
    calls.talk_seconds,
    days.talk_seconds as daily_talk_seconds
from calls
full outer join days
    on
        calls.provider = days.provider
        and calls.account = days.account
        and calls.agent_id = days.agent_id
where
    calls.calls is null
    or days.calls is null
    or calls.calls <> days.calls
    or calls.answered_calls <> days.answered_calls
    or calls.missed_calls <> days.missed_calls
    or calls.talk_seconds <> days.talk_seconds
