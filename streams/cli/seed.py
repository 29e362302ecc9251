"""`lem seed`: put probes onto the log, or only check them."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.context import opened
from streams.cli.shown import Json, harmless, json_lines, show
from streams.config import Settings, settings
from streams.errors import ConfigError

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Seed files or folders (YAML, JSON); the project's own seeds if none."),
]
Check = Annotated[
    bool, typer.Option("--check", help="Tell all that is wrong with them, and write nothing.")
]


def seed(paths: Paths = None, *, check: Check = False, as_json: Json = False) -> None:
    """Put probes onto the log.

    A probe that is there already is not put there again. A seed that can't be used is told and
    costs no other; the exit code is then 1.

    With --check every fault is told and nothing is written: ids, near-duplicates, and what the
    curriculum's `sets` ask of each set. The exit code is 1 where there is a fault.

    Example: lem seed seeds/core.yaml
    """
    found = settings()
    chosen = paths or [Path(found.seeds)]
    if check:
        _check(found, chosen, as_json=as_json)
    else:
        _seed(found, chosen, as_json=as_json)


def _check(found: Settings, paths: Sequence[Path], *, as_json: bool) -> None:
    from agents.vetting import vetted
    from streams.curriculum import load

    seeds, faults = vetted(paths, load(Path(found.curriculum)).sets)
    if as_json:
        json_lines(faults)
    else:
        for fault in faults:
            print(harmless(fault.says))
        print(f"{len(seeds)} seeds of {len({each.set for each in seeds})} sets,", end=" ")
        print(f"{len(faults)} faults." if faults else "nothing wrong with them.")
    if faults:
        raise typer.Exit(1)


def _seed(found: Settings, paths: Sequence[Path], *, as_json: bool) -> None:
    from agents.seeding import told

    with opened(found) as store:
        counts, errors = told(store, paths)
    if counts or as_json:
        show(counts, as_json=as_json)
    if errors:
        many = f"{len(errors)} problems; the seeds without one are on the log."
        raise ConfigError("\n  ".join([many, *errors]))
    _warn(found, paths)


def _warn(found: Settings, paths: Sequence[Path]) -> None:
    """Say that some are not what their sets ask for; they are on the log all the same."""
    from agents.vetting import unfit
    from streams.curriculum import load

    with suppress(ConfigError):  # whoever needs the curriculum will be told what is wrong with it
        count, first = unfit(paths, load(Path(found.curriculum)).sets)
        if first:
            print(
                f"{count} of these probes are not what their set asks for. The first: {first}"
                " `lem seed --check` tells all.",
                file=sys.stderr,
            )
