"""`lem rescore`: old generations by another scorer version."""

from typing import Annotated

import typer

from streams.cli.context import opened, viewed
from streams.cli.shown import Json, json_lines, progress
from streams.config import settings

By = Annotated[str, typer.Option("--scorer", help="Name and version, as lek@2.1.")]
Since = Annotated[
    str | None, typer.Option(help="Logged since: 2025-01-31T12:00, or -10m for ten minutes ago.")
]
Run = Annotated[str | None, typer.Option(help="Only runs whose id holds this text.")]
Model = Annotated[str | None, typer.Option(help="Only models whose URL holds this text.")]
Phase = Annotated[str | None, typer.Option(help="Only this phase.")]


def rescore(
    *,
    by: By,
    since: Since = None,
    run: Run = None,
    model: Model = None,
    phase: Phase = None,
    as_json: Json = False,
) -> None:
    """Score what is on the log by another scorer; nothing is generated again.

    Only what it has not scored yet: stop it at any time, and the same command goes on. A worker
    may run beside it.

    Example: lem rescore --scorer lek@2.1 --phase 1
    """
    from agents.rescore import Choice, missing, rescored
    from agents.scorers import scorer
    from streams.envelope import written
    from streams.reading import instant

    one = scorer(by)
    choice = Choice(since=instant(since) if since else None, run=run, model=model, phase=phase)
    found, total = settings(), 0
    with opened(found, must_exist=True) as store, viewed(store, found) as views:
        wanted = missing(views, one, choice)
        with progress("scoring", total=wanted) as bar:
            for count in written(store, rescored(views, one, choice)):
                total += count
                bar.update(bar.task_ids[0], advance=count)
    if as_json:
        json_lines([{"scorer": one.label, "definition": one.definition, "scored": total}])
    elif total:
        print(f"{total:,} generations scored by {one.label}.")
    else:
        print(f"{one.label} has scored all of these generations already.")
