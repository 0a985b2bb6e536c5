-- recording_count is the number of recordings, and no recording stands without its call.
with

recordings as (

    select
        call_id,
        count(*) as recording_count
    from reporting.recordings
    group by call_id

)

select
    coalesce(calls.call_id, recordings.call_id) as call_id,
    calls.recording_count as expected_recordings,
    recordings.recording_count as found_recordings
from reporting.calls as calls
full outer join recordings
    on calls.call_id = recordings.call_id
where
    calls.call_id is null
    or calls.recording_count <> coalesce(recordings.recording_count, 0)
