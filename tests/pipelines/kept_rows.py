"""Whether the rows that callsync keeps are those their definition gives."""

from __future__ import annotations

from pipelines.views import KEPT
from tests.pipelines.project import Project

DIFFERENCE = """
select count(*) from (
    (from {kept} except all from {defined})
    union all
    (from {defined} except all from {kept})
)
"""


def are_as_defined(project: Project) -> bool:
    """Whether every kept row is what its definition gives now."""
    counts = [project.rows(DIFFERENCE.format(kept=kept, defined=defined)) for kept, defined in KEPT.items()]
    return counts == [[(0,)]] * 3
