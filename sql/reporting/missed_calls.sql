-- Grain: one row a missed call, with the first later contact with its caller. Key: call_id.
with

missed as (

    select * from intermediate.current_calls
    where is_missed

),

contacts as (

    select * from callsync.first_contacts

),

hotlines as (

    select * from intermediate.hotlines

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

        missed.provider || '/' || missed.account || '/' || contacts.contact_id as contact_call_id,
        contacts.contact_kind,
        contacts.contacted_at,
        contacts.is_contact_answered,
        -- A difference of epochs, because that of times counts days in the reader's zone; rounded, because an
        -- epoch is a double.
        cast(
            floor(
                round(
                    extract(epoch from contacts.contacted_at) - extract(epoch from missed.started_at),
                    6
                )
            ) as bigint
        ) as seconds_until_contact,

        missed.contact_number is not null as is_reachable,
        contacts.contact_id is null as is_open

    from missed
    left join contacts
        on
            missed.provider = contacts.provider
            and missed.account = contacts.account
            and missed.provider_call_id = contacts.provider_call_id
    left join hotlines
        on
            missed.provider = hotlines.provider
            and missed.account = hotlines.account
            and missed.hotline_number = hotlines.hotline_number

)

select * from final
