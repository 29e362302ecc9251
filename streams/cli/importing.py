"""`lem import`: bring the history of earlier tools onto the log."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened
from streams.cli.shown import Json, completed_later, harmless, json_lines, progress, table
from streams.config import settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.importing import Imported
    from agents.importing.writing import Counts

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Files, or folders whose files are all taken."),
]

PhaseName = Annotated[
    str | None, typer.Option("--phase", help="The phase whose gate judges the responses.")
]
_COUNTED = ("rows", "new", "there", "buried", "skipped")


def import_(paths: Paths, *, phase: PhaseName = None, as_json: Json = False) -> None:
    """Bring responses, scores and probes of earlier tools onto the log.

    Formats are known by content: A/B and distillation results, benchmark results, golden and
    Gemini rows, chat rows, score files, probes of every shape. Each event has its original time
    and names the file and line it came from. What is there already is not put there again, so the
    same command goes on with an import that was stopped. A row that can't be used becomes a dead
    letter, is told and costs no other; the exit code is then 1.

    With --phase the responses become that phase's: `lem gate` decides on them as on its own, and
    they may be trained on.

    Example: lem import results/ ab-results.jsonl
    """
    from agents.importing import imported, planned

    plan = planned(paths, _known(phase))
    with (
        completed_later("What was imported stays"),
        opened() as store,
        progress("importing, KB", plan.kilobytes) as bar,
    ):
        found = imported(
            store, plan, progress=lambda n: bar.update(bar.task_ids[0], advance=n / 1000)
        )
    if as_json:
        json_lines(found.files)
    else:
        _print(found)
    _tell(plan.met)
    if problems := [*found.buried, *plan.named]:
        more = sum(file.buried for file in found.files) - len(found.buried)
        many = f"{len(problems) + max(more, 0):,} problems; all else is on the log."
        rest = [f"{more:,} more; `lem log dead` shows every row."] if more > 0 else []
        raise ConfigError("\n  ".join([many, *problems, *rest]))


def _known(phase: str | None) -> str:
    """The phase that the responses go to; that of history where none is named.

    Raises:
        ConfigError: The curriculum has no such phase.
    """
    from agents.importing.facts import PHASE
    from streams.curriculum import load

    return load(Path(settings().curriculum)).phase(phase).name if phase else PHASE


def _print(found: "Imported") -> None:
    formats: dict[str, list[Counts]] = {}
    for file in found.files:
        formats.setdefault(file.format, []).append(file)
    table([_row(name, files) for name, files in formats.items()])
    if skipped := sum(file.skipped for file in found.files):
        print(f"{skipped:,} scores were skipped: the log has no response that they belong to.")


def _row(name: str, files: "list[Counts]") -> dict[str, str | int]:
    sums = {key: sum(getattr(file, key) for file in files) for key in _COUNTED}
    return {"format": name, "files": len(files), **sums}


def _tell(met: Iterable[str]) -> None:
    for sentence in met:
        print(f"Left out: {harmless(sentence)}", file=sys.stderr)
