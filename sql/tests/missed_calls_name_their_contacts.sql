-- The contact of a missed call is a call with the same number in the same account, of the kind it says.
with

contacts as (

    select
        call_id,
        provider,
        account,
        contact_number,
        direction,
        is_answered,
        started_at
    from intermediate.current_calls
    where contact_number is not null

)

select
    missed.call_id,
    missed.contact_call_id,
    missed.contact_kind,
    missed.contact_number = contacts.contact_number as is_same_number,
    contacts.direction as direction_of_contact
from reporting.missed_calls as missed
left join contacts
    on missed.contact_call_id = contacts.call_id
where
    not missed.is_open
    and (
        contacts.call_id is null
        or missed.provider <> contacts.provider
        or missed.account <> contacts.account
        or missed.contact_number <> contacts.contact_number
        or missed.contacted_at <> contacts.started_at
        or missed.is_contact_answered <> contacts.is_answered
        or contacts.direction <> case missed.contact_kind when 'call_back' then 'outbound' else 'inbound' end
    )
