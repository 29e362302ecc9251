"""`lem gate`: decide old generations under the policies of now."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.context import opened, viewed
from streams.cli.settling import settle
from streams.cli.shown import Json, show
from streams.config import settings
from streams.errors import GroupTaken

PhaseName = Annotated[
    str | None, typer.Option("--phase", help="Show this phase only; all are decided.")
]

_COUNTS = """
select phase, policy[:8] as policy, threshold,
  count(*) filter (verdict = 'accepted') as accepted,
  count(*) filter (verdict = 'held') as held,
  count(*) filter (verdict = 'rejected') as rejected,
  count(*) filter (verdict = 'pending') as pending
from policies join verdicts using (phase, policy)
where phase = coalesce(?, phase) group by all order by phase"""


def gate(phase: PhaseName = None, *, as_json: Json = False) -> None:
    """Decide old generations again.

    Change a threshold in the curriculum, then run this: nothing is generated again, and the
    decisions of the old policy stay on the log.

    Example: lem gate --phase 1
    """
    from streams.curriculum import load

    found = settings()
    curriculum = load(Path(found.curriculum))
    if phase:
        curriculum.phase(phase)
    with opened(found, must_exist=True) as store:
        try:
            settle(store, found, curriculum)
        except GroupTaken:
            said = "A worker is running; it decides under the policies that it began with."
            print(said, file=sys.stderr)
        with viewed(store, found, curriculum) as views:
            shown = views.rows(_COUNTS, [phase])
    show(shown, as_json=as_json)
