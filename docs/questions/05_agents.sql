-- Which agents took the most calls this month?
select
    provider,
    agent_name,
    sum(answered_calls) as answered,
    round(sum(talk_seconds) / 3600.0, 1) as talk_hours,
    cast(round(sum(answered_talk_seconds) / nullif(sum(talked_calls), 0)) as integer) as seconds_a_call
from reporting.agent_calls
where local_date >= date '2026-06-01'
group by provider, agent_id, agent_name
order by answered desc, talk_hours desc
limit 5
