"""`lem seed`: put probes onto the log."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.context import opened
from streams.cli.shown import Json, show
from streams.config import settings
from streams.errors import ConfigError

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Seed files or folders (YAML, JSON); the project's own seeds if none."),
]


def seed(paths: Paths = None, *, as_json: Json = False) -> None:
    """Put probes onto the log.

    A probe that is there already is not put there again. A seed that can't be used is told and
    costs no other; the exit code is then 1.

    Example: lem seed seeds/core.yaml
    """
    from agents.seeding import told

    found = settings()
    with opened(found) as store:
        counts, errors = told(store, paths or [Path(found.seeds)])
    if counts or as_json:
        show(counts, as_json=as_json)
    if errors:
        many = f"{len(errors)} problems; the seeds without one are on the log."
        raise ConfigError("\n  ".join([many, *errors]))
