"""Files as rows: the lines of a JSONL file, or the entries of a JSON document.

Nothing here knows what a row means. A row that is no JSON is handed on with what is wrong with it.
"""

import json
import reprlib
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

LONGEST = 64 * 1024 * 1024
"""Bytes of a line, or of a document, which is read as a whole; an event has 8 MiB at most."""

_NESTED = ("prompts", "seeds", "scenarios")
_OWN = ("prompt", "text", "question", "response", "messages")


class BadRow(ValueError):
    """A row can't be used; the message says why, and begins behind the row's place."""


class Row(NamedTuple):
    """One row of a file."""

    at: str
    """Where it stands, for people: `:17`, a line; `[16]`, an entry; `[3].scenarios[2]`."""

    number: int
    """Which line or entry it is, from 0."""

    value: Any
    raw: bytes = b""
    """The line as it is; of an entry nothing, it is written again where it is needed."""

    error: str = ""
    """Why there is no value."""

    size: int = 0
    """How many bytes of the file it takes, about."""

    @property
    def bytes(self) -> bytes:
        """The row as it stands, or as it would."""
        return self.raw or json.dumps(self.value, ensure_ascii=False).encode(errors="replace")


def lines(path: Path) -> Iterator[Row]:
    """The rows of a JSONL file, one at a time; blank lines are none."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST):
            whole = len(line) < LONGEST or line.endswith(b"\n")
            if not whole:
                _pass_over_rest(file)
            raw = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 0 else line.strip()
            if raw:
                yield from _spread(_line(raw, number, whole=whole, size=len(line)))
            number += 1


def entries(path: Path) -> Iterator[Row]:
    """The rows of a JSON document: the entries of a list, or the one object that it is.

    Raises:
        ValueError: It is no JSON, or too large to be read as a whole.
    """
    size = path.stat().st_size
    if size > LONGEST:
        raise ValueError(f"of {size:,} bytes is too large; write it as JSONL, one object a line")
    value = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(value, list):
        yield from _spread(Row("", 0, value, size=size))
        return
    for index, entry in enumerate(value):
        yield from _spread(Row(f"[{index}]", index, entry, size=size // len(value)))


def text(row: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these fields that says something, without blanks at its ends.

    Raises:
        BadRow: It is not text.
    """
    for key in keys:
        value = row.get(key)
        if not isinstance(value, str | None):
            raise BadRow(f'has a "{key}" that is not text: {reprlib.repr(value)}')
        if value and value.strip():
            return _storable(key, value.strip())
    return None


def needed(row: Mapping[str, Any], *keys: str) -> str:
    """As `text`, where there must be one.

    Raises:
        BadRow: There is none, or it is not text.
    """
    if (found := text(row, *keys)) is None:
        raise BadRow(f'has no "{keys[0]}"')
    return found


def said(row: Mapping[str, Any], key: str = "response") -> str:
    """What a model said, blanks and all; half a surrogate pair becomes a question mark.

    Raises:
        BadRow: It is not text.
    """
    value = row.get(key)
    if not isinstance(value, str):
        raise BadRow(f'has a "{key}" that is not text: {reprlib.repr(value)}')
    return value.encode(errors="replace").decode()


def number(row: Mapping[str, Any], *keys: str) -> float | None:
    """The first of these fields that is there.

    Raises:
        BadRow: It is no number.
    """
    for key in keys:
        if (value := row.get(key)) is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRow(f'has a "{key}" that is no number: {reprlib.repr(value)}')
        return finite(value)
    return None


def mapping(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A field that is an object.

    Raises:
        BadRow: It is none, or missing.
    """
    value = row.get(key)
    if not isinstance(value, dict):
        raise BadRow(f'has a "{key}" that is no object: {reprlib.repr(value)}')
    return value


def finite(value: object) -> float | None:
    """A number as JSON can hold it; none for NaN, for what is endless, and for no number."""
    if not isinstance(value, int | float) or (isinstance(value, float) and not isfinite(value)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _pass_over_rest(file: Any) -> None:
    while (more := file.readline(LONGEST)) and not more.endswith(b"\n"):
        pass


def _line(raw: bytes, number: int, *, whole: bool, size: int) -> Row:
    row = Row(f":{number + 1}", number, None, raw, size=size)
    if not whole:
        return row._replace(error=f"has over {LONGEST:,} bytes, too many for a row")
    try:
        return row._replace(value=_decoded(raw))
    except UnicodeDecodeError as error:
        return row._replace(error=f"is not UTF-8 text (byte {error.start})")
    except json.JSONDecodeError as error:
        return row._replace(error=f"is not JSON: {error.msg} (column {error.colno})")
    except (ValueError, RecursionError) as error:
        return row._replace(error=f"can't be read as JSON: {error}")


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):  # Python writes NaN, and reads it
        return json.loads(raw.decode())


def _spread(row: Row) -> Iterator[Row]:
    """A row that only holds others gives way to them; they inherit its fields."""
    value = row.value
    lists = [key for key in _NESTED if isinstance(value, dict) and isinstance(value.get(key), list)]
    if not lists or any(key in value for key in _OWN):
        yield row
        return
    key = lists[0]
    inherited = {name: each for name, each in value.items() if name not in ("id", key)}
    size = row.size // (len(value[key]) or 1)
    for index, entry in enumerate(value[key]):
        whole = inherited | entry if isinstance(entry, dict) else entry
        yield from _spread(Row(f"{row.at}.{key}[{index}]", row.number, whole, size=size))


def _storable(key: str, value: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise BadRow(f'has a "{key}" with half a surrogate pair, which no log can hold')
    return value
