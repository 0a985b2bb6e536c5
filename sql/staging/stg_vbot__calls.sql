-- Grain: one row a VBot call (a group). Key: account, provider_call_id.
with

history as (

    select * from staging.stg_vbot__history

),

parties as (

    select * from staging.stg_vbot__parties

),

record_files as (

    select * from vbot.calls__record_file

),

-- VBot repeats the postage of a call on each party: the largest is the call's, a sum counts it twice.
parties_by_call as (

    select
        account,
        provider_call_id,
        count(*) as leg_count,
        count(*) filter (where role = 'callee') as callee_count,
        max(number) filter (where role = 'caller' and position = 0) as caller_number,
        max(member_no) filter (where role = 'caller' and position = 0) as caller_member_no,
        -- The callee shown is the first that answered, else the first.
        arg_min(
            struct_pack(number := number, member_no := member_no, is_answered := is_answered),
            row(is_answered is not true, position)
        ) filter (where role = 'callee') as callee,
        max(total_seconds) as total_seconds,
        max(postage) as postage
    from parties
    group by account, provider_call_id

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
        parties_by_call.caller_number,
        parties_by_call.caller_member_no,
        parties_by_call.callee.number as callee_number,
        parties_by_call.callee.member_no as callee_member_no,

        coalesce(parties_by_call.leg_count, 0) as leg_count,
        coalesce(
            record_files_by_call.recording_count,
            case when history.is_recorded then 1 else 0 end
        ) as recording_count,
        case when history.is_answered then history.talk_seconds else coalesce(history.talk_seconds, 0) end
            as talk_seconds,
        coalesce(history.total_seconds, parties_by_call.total_seconds) as total_seconds,
        coalesce(history.postage, parties_by_call.postage) as postage,

        history.is_answered,
        coalesce(parties_by_call.callee.is_answered, parties_by_call.callee_count = 1) as is_callee_certain,

        history.created_at,
        history.talk_started_at,
        history.started_at

    from history
    left join parties_by_call
        on
            history.account = parties_by_call.account
            and history.provider_call_id = parties_by_call.provider_call_id
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
        case when total_seconds >= talk_seconds then total_seconds - talk_seconds end as ring_seconds
    from joined

),

final as (

    select
        'vbot' as provider,
        account,
        provider_call_id,

        started_at,
        case
            when is_answered
                then coalesce(
                    talk_started_at, make_timestamptz(epoch_us(created_at) + 1000000 * ring_seconds)
                )
        end as answered_at,
        coalesce(
            make_timestamptz(epoch_us(created_at) + 1000000 * total_seconds),
            make_timestamptz(epoch_us(talk_started_at) + 1000000 * talk_seconds)
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
