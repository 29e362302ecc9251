"""`lem materialize`: make a phase's dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened
from streams.cli.settling import settled
from streams.cli.shown import Json, near, show
from streams.config import settings

if TYPE_CHECKING:
    from schemas import Materialized

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
        settled(store, found, curriculum)
        manifest, folder = made(store, found.home_path, curriculum, chosen, out=out)
        store.append([draft(manifest)])
    rows = [
        {"file": str(near(folder / f.name)), "rows": f.rows, "sha256": f.sha256[:16]}
        for f in manifest.files
    ]
    show([*rows], as_json=as_json, title=f"dataset {manifest.id[:8]}, phase {phase}")
    if not as_json:
        _warn(manifest, chosen.training.batch_size)


def _warn(manifest: "Materialized", batch_size: int) -> None:
    for file in manifest.files:
        if file.rows < batch_size:
            print(
                f"{file.name} has {file.rows} rows; mlx_lm.lora with the batch size {batch_size}"
                " of this phase needs as many at least."
            )
