"""Which format a file and a row are of, by what they hold and never by their names."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from agents.importing import ab, chat, distil, golden, probes, results, scores
from agents.importing.facts import PHASE
from agents.importing.rows import BadRow, Row, entries, lines
from agents.importing.told import About, Told
from streams.log.records import LARGEST_BYTES
from streams.seeds import reason

Reader = Callable[[Any, About], Iterator[Told]]

_READERS: dict[str, Reader] = {
    "probes": probes.read,
    "ab": ab.read,
    "distil": distil.read,
    "golden": golden.read,
    "results": results.read,
    "chat": chat.read,
    "scores": scores.read,
}
FORMATS = tuple(_READERS)
"""In the order of the import: probes in their own sets first, scores behind all responses."""

# A row is of the first format all of whose fields it has.
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("ab", frozenset({"type", "conditions"})),
    ("distil", frozenset({"training", "meta"})),
    ("distil", frozenset({"samples_per_probe", "total_kept"})),
    ("chat", frozenset({"messages"})),
    ("golden", frozenset({"seed_id", "response"})),
    ("results", frozenset({"id", "response"})),
    ("chat", frozenset({"prompt", "response"})),
    *(("probes", frozenset({key})) for key in ("prompt", "text", "question", "prompt_en")),
    ("scores", frozenset({"scores"})),
    ("scores", frozenset({"per_prompt"})),
    ("scores", frozenset({"label", "probes"})),
)
_LOOKED_AT = 100  # rows
_HEAD_BYTES = 4096
_MOST_BYTES = LARGEST_BYTES - 1024 * 1024  # room for what an event has beside


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file that can be imported."""

    path: Path
    format: str
    """That of most of its rows; each row is read by its own."""

    is_lines: bool
    """Whether it is JSONL, read line by line, or one document."""

    size: int
    at: datetime
    """When it was last changed."""

    phase: str = PHASE
    """What its responses are taken up by."""

    def rows(self) -> Iterator[Row]:
        """Every row, good or bad, in the order of the file."""
        return lines(self.path) if self.is_lines else entries(self.path)


class Unknown(Exception):
    """A file is of no known format; the message is a sentence that begins with the path."""


def recognised(path: Path) -> Source:
    """What can be imported from a file.

    Raises:
        Unknown: Nothing, and why.
    """
    try:
        with path.open("rb") as file:
            if b"\0" in file.read(_HEAD_BYTES):
                raise Unknown(f"{path} is no text.")
        is_lines, wrong = _shape(path)
        found = _most(lines(path) if is_lines else entries(path), is_lines=is_lines)
    except (OSError, ValueError, RecursionError) as error:
        raise Unknown(_unreadable(path, error)) from error
    if found is None:
        raise Unknown(wrong or f"{path} is of no known format.")
    facts = path.stat()
    at = datetime.fromtimestamp(facts.st_mtime, UTC)
    return Source(path=path, format=found, is_lines=is_lines, size=facts.st_size, at=at)


def format_of(value: Any) -> str | None:
    """The format of a row; none where it is of none that is known."""
    if isinstance(value, str):
        return "probes" if value.strip() else None
    if not isinstance(value, dict):
        return None
    keys = {key for key, each in value.items() if each is not None}
    return next((name for name, needed in _SIGNS if needed <= keys), None)


def told(row: Row, about: About) -> list[Told]:
    """What a row tells.

    Raises:
        BadRow: It can't be used; the message says why.
    """
    if row.error:
        raise BadRow(row.error)
    if (found := format_of(row.value)) is None:
        raise BadRow(_nothing(row.value))
    every = list(_READERS[found](row.value, about))
    for each in every:
        if (size := len(msgspec.json.encode(each))) > _MOST_BYTES:
            raise BadRow(f"has {size:,} bytes, too many for an event")
    return every


def _most(rows: Iterator[Row], *, is_lines: bool) -> str | None:
    """The format of most of the first rows; none where there are few good ones among them."""
    seen = list(islice(rows, _LOOKED_AT))
    # A line of quoted text is found in any file.
    told = (row.value for row in seen if not (is_lines and isinstance(row.value, str)))
    formats = Counter(found for value in told if (found := format_of(value)))
    return formats.most_common(1)[0][0] if formats.total() * 4 >= len(seen) > 0 else None


def _shape(path: Path) -> tuple[bool, str]:
    """Whether a file is lines, or else one document; and why it is no document, if it looks so."""
    first = next(lines(path), None)
    if first is None:
        raise Unknown(f"{path} is empty.")
    if not first.error:
        return not isinstance(first.value, list), ""
    try:
        next(entries(path), None)
    except json.JSONDecodeError as error:
        return True, reason(path, error) if first.raw[:1] in (b"[", b"{") else ""
    except ValueError as error:
        return True, _unreadable(path, error) if first.raw[:1] in (b"[", b"{") else ""
    return False, ""


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, OSError | UnicodeDecodeError):
        return reason(path, error)
    return (
        f"{path} {error}." if isinstance(error, ValueError) else f"{path} can't be read: {error}."
    )


def _nothing(value: Any) -> str:
    if not isinstance(value, dict):
        return f"is no object: {json.dumps(value)[:40]}"
    return f"has no prompt, only {', '.join(map(str, value)) or 'nothing'}"[:200]
