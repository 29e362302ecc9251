"""`lem coverage`: how far each phase is from its volume, where it is thin, what to run next."""

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.context import opened, viewed
from streams.cli.shown import Json, Row, json_lines, table
from streams.config import settings

if TYPE_CHECKING:
    from agents.coverage import Covered, Group

Dimension = Literal["domain", "language", "region", "voice"]

PhaseName = Annotated[str | None, typer.Option("--phase", help="Only this phase.")]
By = Annotated[
    Dimension | None, typer.Option(help="Show every group of this kind, thinnest first.")
]

_WIDTH = 80
_BLANK = "\0"  # within quotes, where no line may end
_NAME = 24  # columns of a group's name
_THINNEST = 4  # of each kind, where not all groups are asked for


def coverage(phase: PhaseName = None, *, by: By = None, as_json: Json = False) -> None:
    """Show what is thin, and what to run next.

    How many rows each phase has of those that it aims at; which domains, languages, regions and
    voices have less than their fair part; how many more requests it takes at the rate so far, and
    the command for that. With --by, each group of that kind.

    Example: lem coverage --phase 2 --by domain
    """
    from agents.coverage import coverage as covered
    from streams.curriculum import load

    found = settings()
    curriculum = load(Path(found.curriculum))
    if phase:
        curriculum.phase(phase)
    with opened(found, must_exist=True) as store, viewed(store, found, curriculum) as views:
        phases = list(covered(views, curriculum, model=found.model, phase=phase))
    if as_json:
        json_lines(_chosen(phases, by))
        return
    table([_row(each) for each in phases])
    for each in phases:
        print("\n".join(_lines(each, by)), end="\n\n")


def _chosen(phases: "list[Covered]", by: Dimension | None) -> "list[Covered] | list[Group]":
    """A line for each phase, or for each group of a kind."""
    if by is None:
        return phases
    return [group for each in phases for group in each.groups if group.by == by]


def _row(found: "Covered") -> Row:
    return {
        "phase": found.phase,
        "probes": found.probes,
        "requests": found.requests,
        "answers": found.generations,
        "on hold": found.held,
        "rows": found.rows,
        "of": found.volume,
        "rate": "-" if found.rate is None else f"{found.rate:.0%}",
    }


def _lines(found: "Covered", by: Dimension | None) -> list[str]:
    said = [_summary(found)]
    if by:
        said += _listed([group for group in found.groups if group.by == by])
    else:
        said += _thin(found.groups)
    for step in found.next:
        said += _typed(step.command)
        said += _wrapped(step.why, "      ", "      ")
    return said


def _summary(found: "Covered") -> str:
    return f"Phase {found.phase}: {found.rows:,} of {found.volume:,} rows{_estimate(found)}"


def _estimate(found: "Covered") -> str:
    if not found.missing:
        return "."
    if found.needed:
        return f"; {found.needed:,} more requests at {found.rate:.0%}."
    if found.needed == 0:
        return "; what is planned and on hold should do."
    return "; nothing was accepted so far." if found.rate == 0 else "; no rate yet."


def _thin(groups: "list[Group]") -> list[str]:
    """The thinnest groups of each kind, in a line or two."""
    said: list[str] = []
    for kind in dict.fromkeys(group.by for group in groups):
        thin = [group for group in groups if group.by == kind and group.is_thin]
        if thin:
            shown = ", ".join(f"{group.group} {group.rows:,}" for group in thin[:_THINNEST])
            more = f" and {len(thin) - _THINNEST:,} more" if len(thin) > _THINNEST else ""
            text = f"thin by {kind} (fair: {thin[0].fair:.0%}): {shown}{more}"
            said += _wrapped(text, "  ", "    ")
    return said


def _listed(groups: "list[Group]") -> list[str]:
    head = f"  {'':<{_NAME}} probes  answers    rows  share   fair  missing"
    return [head, *(_line(group) for group in groups)]


def _line(group: "Group") -> str:
    name = group.group if len(group.group) <= _NAME else f"{group.group[: _NAME - 1]}…"
    share = "-" if group.share is None else f"{group.share:.0%}"
    numbers = f"{group.probes:>6,}  {group.generations:>7,}  {group.rows:>6,}  {share:>5}"
    thin = "  thin" if group.is_thin else ""
    return f"  {name:<{_NAME}} {numbers}  {group.fair:>5.0%}  {group.missing:>7,}{thin}"


def _typed(command: str) -> list[str]:
    """A command as it can be copied: a line that goes on says so to the shell."""
    whole = " ".join(shlex.quote(word).replace(" ", _BLANK) for word in shlex.split(command))
    *lines, last = (
        line.replace(_BLANK, " ") for line in _wrapped(whole, "  $ ", "      ", _WIDTH - 2)
    )
    return [*(f"{line} \\" for line in lines), last]


def _wrapped(text: str, first: str, others: str, width: int = _WIDTH) -> list[str]:
    """Lines that fit; no word is broken."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
