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

-- One number in place of three texts: the rows of these callers are sorted and joined by it.
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

calls_of_callers as (

    select
        callers.caller_key,
        calls.provider,
        calls.account,
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
        or calls.direction = 'outbound'
        or (calls.direction = 'inbound' and calls.is_answered)

),

-- Backwards through a caller's calls, the earliest contact so far. Missed calls come before contacts of the
-- same instant, so that a contact is always strictly later.
followed as (

    select
        caller_key,
        provider,
        account,
        provider_call_id,
        is_missed,
        min(case when not is_missed then started_at end) over (
            partition by caller_key
            order by started_at desc, is_missed desc
            rows between unbounded preceding and current row
        ) as contacted_at
    from calls_of_callers

),

-- Of several contacts in one instant the lowest id counts.
contacts as (

    select
        caller_key,
        started_at,
        min(provider_call_id) as provider_call_id,
        min(case when direction = 'outbound' then provider_call_id end) as outbound_id,
        min(case when is_answered then provider_call_id end) as answered_id
    from calls_of_callers
    where not is_missed
    group by caller_key, started_at

),

contacted as (

    select
        followed.provider,
        followed.account,
        followed.provider_call_id,
        contacts.provider_call_id as contact_id,
        case when contacts.provider_call_id = contacts.outbound_id then 'call_back' else 'called_again' end
            as contact_kind,
        coalesce(contacts.provider_call_id = contacts.answered_id, false) as is_contact_answered,
        followed.contacted_at
    from followed
    inner join contacts
        on
            followed.caller_key = contacts.caller_key
            and followed.contacted_at = contacts.started_at
    where followed.is_missed

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
