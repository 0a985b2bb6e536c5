-- Answered and unanswered calls together are all calls of an account: is_answered is never unknown.
select
    provider,
    account,
    count(*) as calls,
    count(case when is_answered then 1 end) as answered_calls,
    count(case when not is_answered then 1 end) as unanswered_calls
from reporting.calls
group by provider, account
having
    count(*) <> count(case when is_answered then 1 end) + count(case when not is_answered then 1 end)
