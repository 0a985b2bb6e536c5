-- Every rate is its numerator over its denominator, between 0 and 1, and NULL over an empty denominator.
-- Answered and missed calls are among the finished, and the finished among all.
with

answer_rates as (

    select
        'daily_calls' as relation,
        calls,
        finished_calls,
        answered_calls,
        missed_calls,
        answer_rate
    from reporting.daily_calls

    union all

    select
        'hourly_calls' as relation,
        calls,
        finished_calls,
        answered_calls,
        missed_calls,
        answer_rate
    from reporting.hourly_calls

    union all

    select
        'agent_calls' as relation,
        calls,
        finished_calls,
        answered_calls,
        missed_calls,
        answer_rate
    from reporting.agent_calls

    union all

    select
        'hotline_calls' as relation,
        calls,
        finished_calls,
        answered_calls,
        missed_calls,
        answer_rate
    from reporting.hotline_calls

    union all

    select
        'repeat_callers' as relation,
        calls,
        calls as finished_calls,
        answered_calls,
        missed_calls,
        answer_rate
    from reporting.repeat_callers

),

rates as (

    select
        relation,
        'answer_rate' as rate_name,
        answer_rate as rate,
        answered_calls as numerator,
        finished_calls as denominator
    from answer_rates

    union all

    select
        'service_level' as relation,
        'service_level' as rate_name,
        service_level as rate,
        answered_in_time_calls as numerator,
        measured_calls as denominator
    from reporting.service_level

    union all

    select
        'service_level' as relation,
        'abandon_rate' as rate_name,
        abandon_rate as rate,
        abandoned_calls as numerator,
        offered_calls as denominator
    from reporting.service_level

)

select
    relation,
    rate_name,
    rate,
    numerator,
    denominator
from rates
where
    (rate is null) <> (denominator = 0)
    or rate not between 0 and 1
    or abs(rate * denominator - numerator) > 0.000001 * denominator

union all

select
    relation,
    'answered and missed calls' as rate_name,
    answer_rate as rate,
    answered_calls + missed_calls as numerator,
    finished_calls as denominator
from answer_rates
where
    answered_calls + missed_calls > finished_calls
    or finished_calls > calls
