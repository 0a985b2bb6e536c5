-- Grain: one row a VBot call (a group). Key: account, provider_call_id.
with

history as (

    select * from staging.stg_vbot__history

),

callers as (

    select * from staging.stg_vbot__parties
    where role = 'caller'

),

callees as (

    select * from staging.stg_vbot__parties
    where role = 'callee'

),

record_files as (

    select * from vbot.calls__record_file

),

-- VBot repeats the postage of a call on each party: the largest is the call's, a sum counts it twice.
callers_by_call as (

    select
        account,
        provider_call_id,
        count(*) as caller_count,
        max(case when position = 0 then number end) as number,
        max(case when position = 0 then member_no end) as member_no,
        max(total_seconds) as total_seconds,
        max(postage) as postage
    from callers
    group by account, provider_call_id

),

callees_by_call as (

    select
        account,
        provider_call_id,
        count(*) as callee_count,
        max(total_seconds) as total_seconds,
        max(postage) as postage
    from callees
    group by account, provider_call_id

),

first_callees as (

    select * from staging.stg_vbot__parties
    where
        role = 'callee'
        and position = 0

),

-- The callee shown is the first that answered, else the first; later ones are few.
later_answering_callees as (

    select
        *,
        row_number() over (partition by account, provider_call_id order by position) as answer_number
    from staging.stg_vbot__parties
    where
        role = 'callee'
        and position > 0
        and is_answered

),

record_files_by_call as (

    select
        account,
        group_id as provider_call_id,
        count(*) as recording_count
    from record_files
    group by account, group_id

),

joined as (

    select
        history.account,
        history.provider_call_id,

        history.hotline_number,
        history.call_type,
        history.disposition,
        history.currency,
        callers_by_call.number as caller_number,
        callers_by_call.member_no as caller_member_no,
        case when later.position is null then first_callees.number else later.number end as callee_number,
        case when later.position is null then first_callees.member_no else later.member_no end
            as callee_member_no,

        coalesce(callers_by_call.caller_count, 0) + coalesce(callees_by_call.callee_count, 0) as leg_count,
        coalesce(
            record_files_by_call.recording_count,
            case when history.is_recorded then 1 else 0 end
        ) as recording_count,
        case when history.is_answered then history.talk_seconds else coalesce(history.talk_seconds, 0) end
            as talk_seconds,
        coalesce(
            history.total_seconds,
            greatest(callers_by_call.total_seconds, callees_by_call.total_seconds)
        ) as total_seconds,
        coalesce(
            history.postage,
            greatest(callers_by_call.postage, callees_by_call.postage)
        ) as postage,

        history.is_answered,
        coalesce(later.is_answered, first_callees.is_answered, callees_by_call.callee_count = 1)
            as is_callee_certain,

        history.started_at,
        history.talk_started_at

    from history
    left join callers_by_call
        on
            history.account = callers_by_call.account
            and history.provider_call_id = callers_by_call.provider_call_id
    left join callees_by_call
        on
            history.account = callees_by_call.account
            and history.provider_call_id = callees_by_call.provider_call_id
    left join first_callees
        on
            history.account = first_callees.account
            and history.provider_call_id = first_callees.provider_call_id
    left join later_answering_callees as later
        on
            history.account = later.account
            and history.provider_call_id = later.provider_call_id
            and later.answer_number = 1
            and not coalesce(first_callees.is_answered, false)
    left join record_files_by_call
        on
            history.account = record_files_by_call.account
            and history.provider_call_id = record_files_by_call.provider_call_id

),

-- VBot documents no type for a call that neither enters nor leaves the exchange.
classified as (

    select
        *,
        case
            when call_type in ('CALLIN', 'INCALL', 'MISSCALL', '1', '3') then 'inbound'
            when call_type in ('CALLOUT', 'OUTCALL', '2') then 'outbound'
            when hotline_number is null and caller_member_no is not null and callee_member_no is not null
                then 'internal'
            else 'unknown'
        end as direction,
        case
            when disposition in ('NOANSWER', 'MISSCALL', 'MORE', 'SOMEONEANSWERED', 'TIME_OUT', 'ABSENT')
                then 'no_answer'
            when disposition in ('BUSY', 'INCALL') then 'busy'
            when disposition = 'CANCEL' then 'cancelled'
            when disposition in ('DECLINE', 'DONTCALL', 'DO_NOT_CALL', 'DO_NOT_DISTURB') then 'rejected'
            when
                disposition in (
                    'BAD_GATEWAY', 'BAD_REQUEST', 'CALL_INTERVAL_NOT_ALLOWED', 'CHANUNAVAIL', 'CONGESTION',
                    'GONE', 'HOTLINE_NOT_SUPPORT_TELCO', 'INVALIDARGS', 'INVALID_PARAMETER', 'LOGOUT',
                    'MEMBER_NOT_ACTIVATED', 'MEMBER_NOT_IN_PROJECT', 'NORMAL_CLEARING', 'NOT_FOUND',
                    'OUT_OF_MONEY', 'PACKAGE_EXPIRED', 'PROJECT_EXPIRED', 'SERVER_ERROR', 'TELCO_NOT_FOUND',
                    'TORTURE', 'UNAUTHORIZED'
                )
                then 'failed'
            else 'unknown'
        end as unanswered_outcome,
        case
            when not is_answered then total_seconds
            when total_seconds >= talk_seconds then total_seconds - talk_seconds
        end as ring_seconds
    from joined

),

final as (

    select
        'vbot' as provider,
        account,
        provider_call_id,

        started_at,
        case
            when is_answered then coalesce(talk_started_at, started_at + ring_seconds * interval '1 second')
        end as answered_at,
        coalesce(
            started_at + total_seconds * interval '1 second',
            talk_started_at + talk_seconds * interval '1 second'
        ) as ended_at,

        direction,
        unanswered_outcome,
        cast(null as timestamp with time zone) as unknown_from,
        is_answered,
        disposition is not null or coalesce(call_type in ('MISSCALL', '3'), false) as is_over,

        caller_number as from_number,
        callee_number as to_number,
        hotline_number,
        case
            when direction in ('outbound', 'internal') then caller_member_no
            when direction = 'inbound' and is_answered and is_callee_certain then callee_member_no
        end as agent_id,

        ring_seconds,
        talk_seconds,
        total_seconds,

        cast(postage as decimal(18, 9)) as cost,
        currency,

        leg_count,
        cast(recording_count as bigint) as recording_count

    from classified

)

select * from final
