-- An agent and a hotline have one name in an account.
select
    'agents' as relation,
    provider,
    account,
    agent_id as named,
    count(*) as row_count
from intermediate.agents
group by provider, account, agent_id
having count(*) > 1 or agent_id is null

union all

select
    'hotlines' as relation,
    provider,
    account,
    hotline_number as named,
    count(*) as row_count
from intermediate.hotlines
group by provider, account, hotline_number
having count(*) > 1 or hotline_number is null
