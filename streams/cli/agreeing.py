"""`lem review --agreement`: how far reviewers agree with scorers, and with each other."""

from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.context import viewed
from streams.cli.shown import Row, json_lines, table

if TYPE_CHECKING:
    from agents.reviewing.agreement import Agreement
    from streams.config import Settings
    from streams.log.door import Store

_ABOUT = """\
++: both accept; +-: only the first does. A scorer accepts what reaches its
threshold. ≥ N: the gate's; what is on hold has passed it, so κ is 0 until what
the gate refused is reviewed too (`lem review ID`). best N: chosen among these
very reviews, for a scorer without a threshold of its own, which flatters it."""


def show(store: "Store", found: "Settings", phase: str | None, *, as_json: bool) -> None:
    """Print the agreements over one phase, or over all."""
    from agents.reviewing.agreement import agreements
    from streams.curriculum import load

    curriculum = load(Path(found.curriculum))
    if phase:
        curriculum.phase(phase)
    with viewed(store, found, curriculum) as views:
        every = agreements(views, phase)
    if as_json:
        json_lines(every)
    elif not every:
        print("Nobody has reviewed what a scorer scored, or what another has reviewed.")
    else:
        table([_row(one) for one in every])
        print(_ABOUT)


def _row(one: "Agreement") -> Row:
    return {
        "reviewer": one.reviewer,
        "with": one.other,
        "at": _threshold(one),
        "of": one.generations,
        "++": one.both,
        "+-": one.first,
        "-+": one.second,
        "--": one.neither,
        "κ": "-" if one.kappa is None else f"{one.kappa:.2f}",
        "95 %": "-" if one.low is None else f"{one.low:.2f} to {one.high:.2f}",
    }


def _threshold(one: "Agreement") -> str:
    if one.origin is None:
        return ""
    number = "" if one.threshold is None else f" {one.threshold:.4g}"
    return f"best{number}" if one.origin == "best" else f"≥{number}" if number else "gates"
