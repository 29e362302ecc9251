"""Reviews by file: what waits written as CSV or JSONL, and verdicts read from it.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@`, also of full width, for a formula,
and runs it. Such a text gets an apostrophe before it in CSV, and loses it on the way back.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, get_args

import msgspec

from schemas.review import Review
from streams.errors import ConfigError

FILLED = ("verdict", "reviewer", "note")
"""The columns that a reviewer fills; without a verdict a row says nothing."""

COLUMNS = ("generation", *FILLED, "phase", "probe", "model", "scores", "why", "prompt", "response")
"""In this order: what is filled stands near the left edge."""

SUFFIXES = (".csv", ".jsonl")

_LONGEST_CELL = 16_000_000
_DELIMITERS = ",;\t"  # spreadsheets of many countries write the second
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_ESCAPED = re.compile(r"''*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SHORT: dict[str, Review] = {"accept": "accepted", "reject": "rejected", "withdraw": "withdrawn"}


class Row(NamedTuple):
    """A verdict as it stands in a file."""

    line: int
    generation: str
    verdict: Review
    reviewer: str
    """Empty where the file names none."""
    note: str


class Bad(NamedTuple):
    """A row that can't be used."""

    line: int
    why: str


def write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows of `COLUMNS`; how many.

    Raises:
        ConfigError: Such a file is there already, can't be written, or has another suffix.
    """
    kind = _kind(path)
    try:
        with path.open("x", encoding="utf-8-sig" if kind == ".csv" else "utf-8", newline="") as out:
            return _WRITERS[kind](out, rows)
    except FileExistsError as error:
        raise ConfigError(
            f"{path} is there already, perhaps with verdicts in it; name another file."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}.") from error


def read(path: Path) -> Iterator[Row | Bad]:
    """Each row that says something, in the order of the file.

    Raises:
        ConfigError: It can't be read, or has no columns `generation` and `verdict`.
    """
    kind = _kind(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line} is not UTF-8 text; save the file as UTF-8.") from error
    for line, fields in _READERS[kind](path, text):
        found = fields if isinstance(fields, Bad) else _row(line, fields)
        if found:
            yield found


def escaped(value: object) -> object:
    """A cell that no spreadsheet runs; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def unescaped(text: str) -> str:
    """What `escaped` was made of."""
    return text[1:] if _ESCAPED.match(text) else text


def _kind(path: Path) -> str:
    if (kind := path.suffix.lower()) not in SUFFIXES:
        raise ConfigError(f"{path} is neither .csv nor .jsonl; its name says how it is written.")
    return kind


def _row(line: int, fields: dict[str, Any]) -> Row | Bad | None:
    told = {name: fields.get(name) for name in ("generation", *FILLED)}
    for name, value in told.items():
        if not isinstance(value, str | None):
            return Bad(line, f"{name} is {value!r}, which is no text.")
    generation, verdict, reviewer, note = ((value or "").strip() for value in told.values())
    if not verdict:
        return None
    said = _SHORT.get(verdict.lower(), verdict.lower())
    if said not in get_args(Review):
        words = ", ".join(get_args(Review))
        return Bad(line, f'verdict "{verdict}" is none of {words}; leave it empty to say nothing.')
    if not generation:
        return Bad(line, "it names no generation; keep that column as it was exported.")
    return Row(line, generation, msgspec.convert(said, Review), reviewer, note)


def _write_csv(out: IO[str], rows: Iterable[dict[str, Any]]) -> int:
    writing = csv.writer(out)
    writing.writerow(COLUMNS)
    return sum(1 for row in rows if writing.writerow([escaped(row[name]) for name in COLUMNS]))


def _write_jsonl(out: IO[str], rows: Iterable[dict[str, Any]]) -> int:
    lines = (msgspec.json.encode({name: row[name] for name in COLUMNS}) for row in rows)
    return sum(1 for line in lines if out.write(line.decode() + "\n"))


def _read_csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any] | Bad]]:
    lines = list(io.StringIO(text, newline=""))
    first = lines[0] if lines else ""
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_LONGEST_CELL)
    reading = csv.reader(lines, delimiter=delimiter, strict=True)
    names: Sequence[str] = [name.strip().lower() for name in next(reading, [])]
    if not {"generation", "verdict"} <= set(names):
        raise ConfigError(
            f'{path} has no columns "generation" and "verdict" in its first line; begin with what'
            " `lem review --export` wrote."
        )
    while True:
        line = reading.line_num + 1
        try:
            cells = next(reading)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Bad(line, f"it is no CSV: {error}; nothing below it was read.")
            return
        if len(cells) > len(names):
            yield (
                line,
                Bad(line, f"it has {len(cells)} cells, where there are {len(names)} columns."),
            )
        elif cells:
            yield line, dict(zip(names, map(unescaped, cells), strict=False))


def _read_jsonl(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any] | Bad]]:
    for line, value in enumerate(text.split("\n"), 1):
        if not value.strip():
            continue
        try:
            yield line, msgspec.json.decode(value, type=dict[str, Any])
        except msgspec.DecodeError as error:
            yield line, Bad(line, f"it is no JSON object: {error}.")


_WRITERS: dict[str, Callable[[IO[str], Iterable[dict[str, Any]]], int]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
}
_READERS = {".csv": _read_csv, ".jsonl": _read_jsonl}
