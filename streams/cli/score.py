"""`lem score`: texts outside the log, by any scorer."""

import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import typer

from streams.cli.marked import marked
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.scorers import Scorer, Text

_AT_ONCE = 500

File = Annotated[
    str, typer.Argument(help="JSONL with `response`, and perhaps `prompt`; - for standard input.")
]
By = Annotated[str, typer.Option("--scorer", help="Name and version, as lek@2.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show in the text which rule fired.")]


class _Row(NamedTuple):
    """A line of the input: a text, or why it is none."""

    text: "Text | None"
    said: dict[str, Any]


def score(file: File = "", *, by: By, explain: Explain = False) -> None:
    """Score texts that are on no log: one JSON line for each, in the order of the input.

    Without FILE, standard input is one plain text. A line that holds no response has an `error`
    in its place, and the exit code is 1.

    Example: lem score answers.jsonl --scorer lek@2
    """
    from agents.scorers import Text, scorer

    found = scorer(by)
    rows = _rows(file) if file else iter([_Row(Text(_typed()), {})])
    failed = False
    while batch := list(islice(rows, _AT_ONCE)):
        failed |= any(row.text is None for row in batch)
        if explain:
            _explain(found, batch)
        else:
            _print(found, batch)
    if failed:
        raise typer.Exit(1)


def _print(by: "Scorer", batch: list[_Row]) -> None:
    scores = iter(by.function([row.text for row in batch if row.text is not None]))
    for row in batch:
        told = row.said
        if row.text is not None:
            one = next(scores)
            told = {**told, "score": one.score, "signals": one.signals}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")


def _typed() -> str:
    return sys.stdin.buffer.read().decode(errors="replace")


def _rows(file: str) -> Iterator[_Row]:
    """The lines of a file, one at a time.

    Raises:
        ConfigError: It can't be opened.
    """
    if file == "-":
        yield from map(_row, sys.stdin.buffer, count(1))
        return
    try:
        with Path(file).open("rb") as lines:
            yield from map(_row, lines, count(1))
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror}.") from error


class _Line(msgspec.Struct, frozen=True):
    response: str
    prompt: str | None = None
    id: Any = None


def _row(line: bytes, number: int) -> _Row:
    from agents.scorers import Text

    try:
        found = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _Row(None, {"error": f'line {number} is no object with a "response": {error}'})
    said = {} if found.id is None else {"id": found.id}
    return _Row(Text(found.response, found.prompt or ""), said)


def _explain(by: "Scorer", batch: list[_Row]) -> None:
    """Each text with what fired in it, and what that adds up to."""
    from streams.cli.shown import console

    for row in batch:
        if row.text is None:
            console(stderr=True).print(row.said["error"], markup=False)
            continue
        found = by.one(*row.text)
        hits = by.hits(row.text.response) if by.hits else []
        console().print(marked(row.text.response, hits), soft_wrap=True)
        console().print(f"{by.label} {found.score:g}", style="bold")
        for name, value in found.signals.items():
            if value:
                rules = [row.text.response[h.start : h.end] for h in hits if h.signal == name]
                shown = "  " + ", ".join(repr(each) for each in dict.fromkeys(rules))
                console().print(f"  {name} {value:g}{shown if rules else ''}", markup=False)
