"""`lem materialize`: make a phase's dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened, viewed
from streams.cli.settling import settle
from streams.cli.shown import Json, near, show
from streams.config import Settings, settings
from streams.errors import GroupTaken, LogError

if TYPE_CHECKING:
    from schemas import Materialized
    from streams.curriculum import Curriculum
    from streams.log.door import Store

_COUNTS = """
select count(*) as generated, count(*) filter (verdict = 'pending') as pending
from verdicts where phase = ?"""

PhaseName = Annotated[str, typer.Option("--phase", help="A phase of the curriculum, as 1.")]
Out = Annotated[
    Path | None, typer.Option(help="The dataset's folder; LEM_HOME/datasets/… if none.")
]


def materialize(phase: PhaseName, *, out: Out = None, as_json: Json = False) -> None:
    """Make a phase's dataset.

    Train, valid and test as chat JSONL for mlx_lm.lora, and a manifest. What the policies of
    now have not decided yet is decided first, unless a worker is at it.

    Example: lem materialize --phase 1
    """
    from agents.materialize import materialize as made
    from streams.curriculum import load
    from streams.envelope import draft

    found = settings()
    curriculum = load(Path(found.curriculum))
    chosen = curriculum.phase(phase)
    with opened(found, must_exist=True) as store:
        _ready(store, found, curriculum, phase)
        manifest, folder = made(store, found.home_path, curriculum, chosen, out=out)
        store.append([draft(manifest)])
    files = [
        {"file": str(near(folder / f.name)), "rows": f.rows, "sha256": f.sha256[:16]}
        for f in manifest.files
    ]
    show(files, as_json=as_json, title=f"dataset {manifest.id[:8]}, phase {phase}")
    if not as_json:
        _warn(manifest, chosen.training.batch_size)


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


def _warn(manifest: "Materialized", batch_size: int) -> None:
    for file in manifest.files:
        if file.rows < batch_size:
            print(
                f"{file.name} has {file.rows} rows; mlx_lm.lora needs {batch_size} at least,"
                " the batch size of this phase."
            )
