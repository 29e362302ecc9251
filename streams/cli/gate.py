"""`lem gate`: decide old generations under the policies of now."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.context import opened
from streams.cli.settling import settled
from streams.cli.shown import Json, show
from streams.config import settings

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
    from streams.replay import opened as replayed
    from streams.replay import policies

    found = settings()
    curriculum = load(Path(found.curriculum))
    with opened(found, must_exist=True) as store:
        if not settled(store, found, curriculum):
            print("A worker is running; it decides under the policies that it began with.")
        with replayed(store, found.home_path, policies(curriculum)) as views:
            counted = views.db.execute(_COUNTS, [phase])
            names = [column[0] for column in counted.description]
            rows = [dict(zip(names, values, strict=True)) for values in counted.fetchall()]
    show(rows, as_json=as_json)
