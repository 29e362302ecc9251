"""`lem materialize`: make a phase's dataset, of now or of then."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.context import opened, viewed
from streams.cli.settling import settle
from streams.cli.shown import Json, near, show
from streams.config import Settings, settings
from streams.errors import ConfigError, GroupTaken, LogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.dataset.recipe import Order
    from schemas import Materialized
    from streams.curriculum import Curriculum, Training
    from streams.log.door import Store

_COUNTS = """
select count(*) as generated, count(*) filter (verdict = 'pending') as pending
from verdicts where phase = ?"""

PhaseName = Annotated[str | None, typer.Option("--phase", help="A phase of the curriculum, as 1.")]
Out = Annotated[
    Path | None, typer.Option(help="The dataset's folder; LEM_HOME/datasets/… if none.")
]


AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="OFFSETS|TIME|DATASET",
        help="The log as it was: decisions:0=500,… with all topics; 2026-01-31T12:00, in UTC if it"
        " names no zone; a dataset's id or manifest, whose recipe then holds as well.",
    ),
]
For = Annotated[
    Literal["mlx-lora"] | None,
    typer.Option("--for", help="Make it only if this trainer takes it with the phase's settings."),
]


def materialize(
    phase: PhaseName = None,
    *,
    as_of: AsOf = None,
    for_: For = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Make a phase's dataset.

    Train, valid and test as chat JSONL for mlx_lm.lora and as Parquet, a card, and a manifest. What
    the policies of now have not decided yet is decided first, unless a worker is at it. With
    --as-of nothing is decided: a dataset that was made comes out again as it was.

    Example: lem materialize --phase 1
    """
    from agents.materialize import materialize as made
    from streams.envelope import draft

    found = settings()
    with opened(found, must_exist=True) as store:
        order = _order(store, found, phase, as_of)
        fit = _Fit(order.phase.training) if for_ else None
        manifest, folder = made(store, found.home_path, order, out=out, fit=fit)
        store.append([draft(manifest)])
    files = [
        {"file": str(near(folder / f.name)), "rows": f.rows, "sha256": f.sha256[:16]}
        for f in (*manifest.files, *manifest.copies)
    ]
    show(files, as_json=as_json, title=f"dataset {manifest.id[:8]}, phase {manifest.phase}")
    for each in manifest.refused:
        left_out = f"Left out {each.generation[:8]} ({each.rule}): {each.reason}"
        print(left_out, file=sys.stderr)
    for warning in fit.warnings if fit else _small(manifest, order.phase.training.batch_size):
        print(warning, file=sys.stderr)


class _Fit:
    """Looks whether the finished files are fit to train on, and keeps the warnings."""

    def __init__(self, training: "Training") -> None:
        self._training = training
        self.warnings: list[str] = []

    def __call__(self, folder: Path) -> None:
        from agents.dataset.lora import examined

        self.warnings = examined(folder, self._training)


def _order(store: "Store", found: Settings, phase: str | None, as_of: str | None) -> "Order":
    """What is to be made.

    Raises:
        ConfigError: No phase is named where one is needed, or another than the dataset's.
    """
    from agents.dataset.asof import ends_of, manifest_of
    from agents.dataset.recipe import now, then
    from streams.curriculum import load

    if as_of and (told := manifest_of(store, as_of)):
        if phase not in (None, told.phase):
            raise ConfigError(f"Dataset {told.id[:8]} is of phase {told.phase}, not {phase}.")
        return then(told)
    if phase is None:
        raise ConfigError("Which phase? Name one, as --phase 1; `lem gate` shows all of them.")
    curriculum = load(Path(found.curriculum))
    chosen = curriculum.phase(phase)
    if as_of is None:
        _ready(store, found, curriculum, phase)
        return now(chosen)
    order = now(chosen, ends_of(store, as_of))
    _was_decided(store, found, order)
    return order


def _was_decided(store: "Store", found: Settings, order: "Order") -> None:
    """Tell what had no decision then; refuse where nothing had, since the policy is a later one."""
    from streams.replay import opened as viewed_as_of

    with viewed_as_of(store, found.home_path, order.policies, ends=order.ends) as views:
        (counts,) = views.rows(_COUNTS, [order.phase.name])
    if not counts["generated"] or counts["generated"] == counts["pending"]:
        raise LogError(
            f'None of the {counts["generated"]} generations that phase "{order.phase.name}" then'
            " had were decided then under the policy of now. Name a later time, or a dataset:"
            " its own policy holds."
        )
    if counts["pending"]:
        said = f"{counts['pending']} of {counts['generated']} generations were not decided then."
        print(said, file=sys.stderr)


def _ready(store: "Store", found: Settings, curriculum: "Curriculum", phase: str) -> None:
    """Decide what is undecided, and refuse to make a dataset of what is not all there.

    Raises:
        LogError: Nothing was generated yet, or a worker still decides.
    """
    is_settled = True
    try:
        settle(store, found, curriculum)
    except GroupTaken:
        is_settled = False
    with viewed(store, found, curriculum) as views:
        (counts,) = views.rows(_COUNTS, [phase])
    if not counts["generated"]:
        raise LogError(
            f'Phase "{phase}" has no generations yet. Plan some with'
            f" `lem distill --phase {phase}`, and have them made by `lem run`."
        )
    if counts["pending"] and not is_settled:
        raise LogError(
            f'{counts["pending"]} of {counts["generated"]} generations of phase "{phase}" are not'
            " decided under the policy of now, and a worker is running: it makes the dataset when"
            " it is done. If the curriculum was changed since it began, start it again."
        )


def _small(manifest: "Materialized", batch_size: int) -> "Iterator[str]":
    for file in manifest.files:
        if file.rows < batch_size:
            yield (
                f"{file.name} has {file.rows} rows; mlx_lm.lora needs {batch_size} at least,"
                " the batch size of this phase."
            )
