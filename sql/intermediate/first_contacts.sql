-- Grain: one row a missed call that was followed by a contact, with the first one.
-- Key: provider, account, provider_call_id.
-- A contact is a call back to the caller, whatever came of it, or an answered call of the caller, in the same
-- account. A row depends on the calls of its caller alone, so that callsync.first_contacts can keep it.
with

-- Each step reads the calls itself, and only the columns it needs: that keeps this quick.
-- One number in place of three texts: the calls of these callers are sorted and joined by it.
callers as (

    select
        provider,
        account,
        contact_number,
        row_number() over () as caller_key,
        min(started_at) as first_missed_at
    from callsync.reported_calls
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
    from callsync.reported_calls as calls
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

final as (

    select
        callers.provider,
        callers.account,
        missed.provider_call_id,
        callers.contact_number,

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

)

select * from final
