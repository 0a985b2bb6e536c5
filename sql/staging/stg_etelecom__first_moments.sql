-- Grain: one row an eTelecom call log that tells no start. Key: account, provider_call_id.
-- created_at alone is no start: eTelecom enters a call some minutes after its end.
with

call_logs as (

    select * from etelecom.call_logs
    where started_at is null

),

call_targets as (

    select * from etelecom.call_logs__call_targets

),

targets_by_call as (

    select
        call_targets.account,
        call_targets.id,
        min(least(call_targets.add_time, call_targets.ring_time, call_targets.answered_time)) as first_at
    from call_targets
    inner join call_logs
        on
            call_targets.account = call_logs.account
            and call_targets.id = call_logs.id
    group by call_targets.account, call_targets.id

),

final as (

    select
        call_logs.account,
        call_logs.id as provider_call_id,
        least(call_logs.created_at, call_logs.ended_at, targets_by_call.first_at) as first_at
    from call_logs
    left join targets_by_call
        on
            call_logs.account = targets_by_call.account
            and call_logs.id = targets_by_call.id

)

select * from final
