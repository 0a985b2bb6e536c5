-- Grain: one row a party of a VBot call. Key: account, provider_call_id, role, position.
with

parties as (

    select * from staging.stg_vbot__parties

),

history as (

    select * from staging.stg_vbot__history

),

members as (

    select * from vbot.members

),

-- Positions run from 0, so a side with a second party is one with a position 1.
second_parties as (

    select * from staging.stg_vbot__parties
    where position = 1

),

-- Without a disposition of its own a party takes the call's, but only where it stands alone on its side.
joined as (

    select
        parties.account,
        parties.provider_call_id,
        parties.role,
        parties.position,

        parties.number,
        parties.member_no,
        coalesce(parties.name, members.member_name) as display_name,
        coalesce(parties.disposition, history.disposition) as disposition,
        history.currency,

        coalesce(parties.talk_seconds, history.talk_seconds) as talk_seconds,
        case
            when parties.total_seconds >= coalesce(parties.talk_seconds, history.talk_seconds)
                then parties.total_seconds
            else history.total_seconds
        end as total_seconds,

        coalesce(
            parties.is_answered,
            history.is_answered and second_parties.position is null,
            false
        ) as is_answered,

        coalesce(parties.started_at, history.created_at) as created_at,
        history.talk_started_at

    from parties
    left join second_parties
        on
            parties.account = second_parties.account
            and parties.provider_call_id = second_parties.provider_call_id
            and parties.role = second_parties.role
    left join history
        on
            parties.account = history.account
            and parties.provider_call_id = history.provider_call_id
    left join members
        on
            parties.account = members.account
            and parties.member_no = members.member_no

),

timed as (

    select
        *,
        case when is_answered then talk_seconds else 0 end as answered_seconds,
        case
            when not is_answered then total_seconds
            when total_seconds >= talk_seconds then total_seconds - talk_seconds
        end as ring_seconds
    from joined

),

-- The postage of a VBot call stands on the call: it is one amount, whoever the parties are.
final as (

    select
        'vbot' as provider,
        account,
        provider_call_id,
        role,
        position,

        number,
        member_no as agent_id,
        display_name,

        coalesce(created_at, talk_started_at) as started_at,
        case
            when is_answered
                then coalesce(
                    talk_started_at, make_timestamptz(epoch_us(created_at) + 1000000 * ring_seconds)
                )
        end as answered_at,
        make_timestamptz(epoch_us(created_at) + 1000000 * total_seconds) as ended_at,

        is_answered,
        ring_seconds,
        answered_seconds as talk_seconds,

        cast(null as decimal(18, 9)) as cost,
        currency,
        disposition as end_reason

    from timed

)

select * from final
