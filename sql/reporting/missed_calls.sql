-- Grain: one row a missed call, with the first later contact with its caller. Key: call_id.
-- A contact is a call back to the caller, whatever came of it, or an answered call of the caller, in the same
-- account. Each step reads current_calls itself, and only the columns it needs: that keeps this quick.
with

missed as (

    select * from intermediate.current_calls
    where is_missed

),

hotlines as (

    select * from intermediate.hotlines

),

-- One number in place of three texts: the calls of these callers are sorted and joined by it.
callers as (

    select
        provider,
        account,
        contact_number,
        row_number() over () as caller_key,
        min(started_at) as first_missed_at
    from intermediate.current_calls
    where
        is_missed
        and contact_number is not null
    group by provider, account, contact_number

),

-- Missed calls and contacts; what has a contact number is inbound or outbound.
calls_of_callers as (

    select
        callers.caller_key,
        calls.provider_call_id,
        calls.direction,
        calls.is_answered,
        calls.is_missed,
        calls.started_at
    from intermediate.current_calls as calls
    inner join callers
        on
            calls.provider = callers.provider
            and calls.account = callers.account
            and calls.contact_number = callers.contact_number
            and calls.started_at >= callers.first_missed_at
    where
        calls.is_missed
        or calls.is_answered
        or calls.direction = 'outbound'

),

-- Contacts of a caller up to this call. Those of the same instant come before a missed call, so that the next
-- one is strictly later; of several contacts in one instant the lowest id is next.
counted as (

    select
        *,
        count(case when not is_missed then 1 end) over (
            partition by caller_key
            order by started_at, is_missed, provider_call_id
            rows between unbounded preceding and current row
        ) as contacts_so_far
    from calls_of_callers

),

contacted as (

    select
        callers.provider,
        callers.account,
        missed.provider_call_id,
        contacts.provider_call_id as contact_id,
        case when contacts.direction = 'outbound' then 'call_back' else 'called_again' end as contact_kind,
        contacts.is_answered as is_contact_answered,
        contacts.started_at as contacted_at
    from counted as missed
    inner join counted as contacts
        on
            missed.caller_key = contacts.caller_key
            and missed.contacts_so_far + 1 = contacts.contacts_so_far
            and missed.is_missed
            and not contacts.is_missed
    inner join callers
        on missed.caller_key = callers.caller_key

),

final as (

    select
        missed.call_id,
        missed.provider,
        missed.account,
        missed.provider_call_id,

        missed.started_at,
        cast(missed.local_started_at as date) as local_date,

        missed.hotline_number,
        hotlines.hotline_name,
        missed.from_number,
        missed.from_e164,
        missed.contact_number,
        missed.ring_seconds,

        missed.provider || '/' || missed.account || '/' || contacted.contact_id as contact_call_id,
        contacted.contact_kind,
        contacted.contacted_at,
        contacted.is_contact_answered,
        -- A difference of epochs, because that of times counts days in the reader's zone; rounded, because an
        -- epoch is a double.
        cast(
            floor(
                round(
                    extract(epoch from contacted.contacted_at) - extract(epoch from missed.started_at),
                    6
                )
            ) as bigint
        ) as seconds_until_contact,

        missed.contact_number is not null as is_reachable,
        contacted.contact_id is null as is_open

    from missed
    left join contacted
        on
            missed.provider = contacted.provider
            and missed.account = contacted.account
            and missed.provider_call_id = contacted.provider_call_id
    left join hotlines
        on
            missed.provider = hotlines.provider
            and missed.account = hotlines.account
            and missed.hotline_number = hotlines.hotline_number

)

select * from final
