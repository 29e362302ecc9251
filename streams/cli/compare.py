"""`lem compare`: two scorers over the same generations."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.context import opened, viewed
from streams.cli.marked import marked
from streams.cli.shown import Json, Row, console, json_lines, table
from streams.config import settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.compare import Compared, Comparison
    from agents.scorers import Scorer
    from streams.replay import Views

A = Annotated[str, typer.Argument(metavar="A", help="Name and version, as lek@2.")]
B = Annotated[str, typer.Argument(metavar="B", help="The other one, as lek@2.1.")]
Phase = Annotated[str | None, typer.Option(help="Only this phase's generations.")]
Texts = Annotated[int, typer.Option(min=0, help="How many texts of each kind of change.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with plots and texts to this file.")]

_LONGEST = 800  # characters of a text in the terminal; the page has all


def compare(
    a: A,
    b: B,
    *,
    phase: Phase = None,
    texts: Texts = 3,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Compare two scorers over what both have scored.

    How scores and signals lie, how far both agree with each other and with recorded judgements,
    which decisions flip under each phase's policy, and which training rows enter and leave each
    dataset. Nothing is written to the log. With --json every row that moves is told.

    Example: lem compare lek@2 lek@2.1 --html compare.html
    """
    from agents.compare import compare as compared
    from agents.scorers import scorer
    from streams.curriculum import load

    found, one, two = settings(), scorer(a), scorer(b)
    curriculum = load(Path(found.curriculum))
    with opened(found, must_exist=True) as store, viewed(store, found, curriculum) as views:
        told = compared(store, views, curriculum, one, two, phase=phase, most=texts)
        for label, count in told.lacking.items():
            said = f"{count:,} generations have no score by {label};"
            print(f"{said} `lem rescore --scorer {label}` gives it.", file=sys.stderr)
        if html:
            _write(html, told, one, two)
        elif as_json:
            _print_json(told, views)
        else:
            _print(told, one, two)


def _write(path: Path, told: "Comparison", one: "Scorer", two: "Scorer") -> None:
    from agents.compare.page import page

    try:
        path.write_text(page(told, one, two), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}.") from error
    print(path)


def _print_json(told: "Comparison", views: "Views") -> None:
    from msgspec.structs import asdict

    from agents.compare import rows

    names = ("a", "b", "generations", "lacking", "correlation")
    json_lines([{"type": "comparison", **{name: getattr(told, name) for name in names}}])
    for kind, several in _parts(told).items():
        json_lines({"type": kind, **asdict(each)} for each in several)
    json_lines({"type": "row", **asdict(row)} for row in rows(views))


def _parts(told: "Comparison") -> dict[str, list[Any]]:
    return {
        "spread": told.spreads,
        "signal": told.signals,
        "agreement": told.agreements,
        "policy": told.flips,
        "dataset": told.datasets,
        "text": told.changed,
    }


def _print(told: "Comparison", one: "Scorer", two: "Scorer") -> None:
    from msgspec.structs import asdict

    said = "-" if told.correlation is None else f"{told.correlation:.2f}"
    print(f"{told.generations:,} generations scored by both; rank correlation {said}.\n")
    table([asdict(each) for each in told.spreads])
    table(_signals(told), title="Signals: mean count, and % of the generations")
    if told.agreements:
        table(
            [_named(asdict(each), told) for each in told.agreements], title="Rank correlation with"
        )
    table([_named(asdict(each), told) for each in told.flips], title="Decisions of each policy")
    if told.datasets:
        rows = [_named(asdict(each), told) for each in told.datasets]
        table(rows, title="Rows of each dataset")
    for row, each in told.moved:
        way = "enters" if row.enters else "leaves"
        _show(each, one, two, f"{way} the dataset of phase {row.phase} ({row.reason})")
    for each in told.changed:
        _show(each, one, two, "changes most")


def _named(row: dict[str, Any], told: "Comparison") -> Row:
    """The row, with the scorers' labels for `a` and `b` in the names of its columns."""
    ends = {"a": told.a, "b": told.b}
    parts = ((key.rpartition("_"), value) for key, value in row.items())
    return {f"{start}{_}{ends.get(end, end)}": value for (start, _, end), value in parts}


def _signals(told: "Comparison") -> list[Row]:
    from agents.compare.page import signals

    return [
        {"signal": row["signal"]}
        | {
            f"{label} {name}": _figure(row[side], field)
            for side, label in (("a", told.a), ("b", told.b))
            for name, field in (("mean", "mean"), ("fires", "fires"), ("at cap", "at_cap"))
        }
        for row in signals(told)
    ]


def _figure(signal: Any, field: str) -> float | str | None:
    value: float | None = getattr(signal, field, None)
    return value if field == "mean" or value is None else f"{100 * value:.0f}"


def _show(each: "Compared", one: "Scorer", two: "Scorer", what: str) -> None:
    """A text twice, side by side, as each scorer sees it."""
    from rich.table import Table

    shown = Table(expand=True, title=f"{each.generation[:8]} {what}", title_justify="left")
    for by, score in ((one, each.a), (two, each.b)):
        shown.add_column(f"{by.label}: {score:g}", ratio=1, overflow="fold")
    text = each.response
    cells = (marked(text, by.hits(text) if by.hits else []) for by in (one, two))
    shown.add_row(*(cell[:_LONGEST] for cell in cells))
    shown.add_row(*(_counted(signals) for signals in (each.signals_a, each.signals_b)))
    console().print(shown)


def _counted(signals: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in signals.items() if value)
