"""`lem gate`: decide old generations under the policies of now, or try another gate."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened, viewed
from streams.cli.settling import settle
from streams.cli.shown import Json, show
from streams.config import settings
from streams.errors import ConfigError, GroupTaken

if TYPE_CHECKING:
    from streams.config import Settings
    from streams.curriculum import Curriculum

PhaseName = Annotated[
    str | None, typer.Option("--phase", help="Show this phase only; all are decided.")
]
Tries = Annotated[
    list[str] | None,
    typer.Option(
        "--try",
        metavar="FIELD=VALUE",
        help="Only show what this gate would change, as threshold=22; may be said again.",
    ),
]

_COUNTS = """
select phase, policy[:8] as policy, threshold,
  count(*) filter (verdict = 'accepted') as accepted,
  count(*) filter (verdict = 'held') as held,
  count(*) filter (verdict = 'rejected') as rejected,
  count(*) filter (verdict = 'pending') as pending
from policies join verdicts using (phase, policy)
where phase = coalesce(?, phase) group by all order by phase"""


def gate(phase: PhaseName = None, *, tries: Tries = None, as_json: Json = False) -> None:
    """Decide old generations again.

    Change a threshold in the curriculum, then run this: nothing is generated again, and the
    decisions of the old policy stay on the log. With --try nothing is written, and it may run
    beside a worker: it shows which rows a phase's dataset would gain and lose with another gate.

    Example: lem gate --phase 1 --try threshold=22
    """
    from streams.curriculum import load

    found = settings()
    curriculum = load(Path(found.curriculum))
    if phase:
        curriculum.phase(phase)
    if tries:
        _try(found, curriculum, phase, tries, as_json=as_json)
        return
    with opened(found, must_exist=True) as store:
        try:
            settle(store, found, curriculum)
        except GroupTaken:
            said = "A worker is running; it decides under the policies that it began with."
            print(said, file=sys.stderr)
        with viewed(store, found, curriculum) as views:
            shown = views.rows(_COUNTS, [phase])
    show(shown, as_json=as_json)


def _try(
    found: "Settings",
    curriculum: "Curriculum",
    phase: str | None,
    tries: list[str],
    *,
    as_json: bool,
) -> None:
    from streams.cli import trying

    if phase is None:
        raise ConfigError("--try changes the gate of one phase; name it, as --phase 1.")
    with opened(found, must_exist=True) as store, viewed(store, found, curriculum) as views:
        trying.show(store, views, curriculum, phase, tries, as_json=as_json)
