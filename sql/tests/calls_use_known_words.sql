-- direction and outcome come from closed sets.
select
    call_id,
    direction,
    outcome
from reporting.calls
where
    direction is null
    or direction not in ('inbound', 'outbound', 'internal', 'unknown')
    or outcome is null
    or outcome not in (
        'answered', 'missed', 'busy', 'no_answer', 'cancelled', 'rejected', 'failed', 'in_progress', 'unknown'
    )
