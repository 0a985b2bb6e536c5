-- Can I hear what we said to this customer?
-- eTelecom knows a recording by its address only, which is in recordings.url.
select
    calls.started_at,
    calls.direction,
    calls.talk_seconds,
    recordings.provider,
    recordings.recording_id
from reporting.recordings
inner join reporting.calls
    on recordings.call_id = calls.call_id
where '+84900000000' in (calls.from_e164, calls.to_e164)
order by calls.started_at desc
limit 5
