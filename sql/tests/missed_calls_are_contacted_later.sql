-- A contact is strictly later than the missed call and reaches a known number; without one the call is open.
select
    call_id,
    started_at,
    contact_call_id,
    contact_kind,
    contacted_at,
    is_contact_answered,
    seconds_until_contact,
    is_reachable,
    is_open
from reporting.missed_calls
where
    contacted_at <= started_at
    or seconds_until_contact < 0
    or is_reachable <> (contact_number is not null)
    or is_open <> (contact_call_id is null)
    or (contact_call_id is null) <> (contacted_at is null)
    or (contact_call_id is null) <> (contact_kind is null)
    or (contact_call_id is null) <> (is_contact_answered is null)
    or (contact_call_id is null) <> (seconds_until_contact is null)
    or (contact_call_id is not null and not is_reachable)
    or contact_kind not in ('call_back', 'called_again')
    or (contact_kind = 'called_again' and not is_contact_answered)
