"""A file that is being imported: its digest, its summaries, and when its rows were written."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from agents.importing.facts import run_of
from agents.importing.known import Known
from agents.importing.recognise import Source, told
from agents.importing.rows import BadRow, Row
from agents.importing.told import About, Recorded, Told
from streams.ids import of_file
from streams.origin import Origin


class File(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every row of a file."""

    source: Source
    sha256: str
    summaries: list[Row]
    """In the order of the file; each is of the rows between it and the one before it."""

    @property
    def name(self) -> str:
        """Its name as the log can hold it."""
        return self.source.path.name.encode(errors="replace").decode()

    @property
    def stem(self) -> str:
        """Its name without the ending: the set of its probes."""
        return self.source.path.stem.encode(errors="replace").decode()

    def told(self, row: Row) -> list[Told]:
        """What a row tells.

        Raises:
            BadRow: It can't be used.
        """
        return told(row, About(stem=self.stem, summary=self._summary(row)))

    def origin(self, row: Row) -> Origin:
        """Where a row's events come from.

        They are as old as the row's `ts` says, else the summary's, else the file itself.
        """
        place = row.at.removeprefix(":")
        return Origin(
            at=_moment(row.value) or _moment(self._summary(row)) or self.source.at,
            by=f"import:{self.name}#{place}@{self.sha256[:12]}",
            run=None,
            cause=None,
        )

    def _summary(self, row: Row) -> dict[str, Any]:
        index = bisect_left(self.summaries, row.number, key=lambda each: each.number)
        return self.summaries[index].value if index < len(self.summaries) else {}


def opened(source: Source) -> File:
    """The file, read through once for what it says of all its rows."""
    return File(source=source, sha256=of_file(source.path), summaries=list(_summaries(source)))


def count_runs(file: File, known: Known) -> None:
    """Note how many requests each run of the file has."""
    known.forget_runs()
    for row in file.source.rows():
        try:
            found = file.told(row)
        except BadRow:
            continue  # it is buried when its turn comes
        for each in found:
            if isinstance(each, Recorded):
                known.count(run_of(each, file.name, file.source.phase), each.sample)


def _summaries(source: Source) -> Iterator[Row]:
    for row in source.rows() if source.is_lines else ():
        if isinstance(row.value, dict) and row.value.get("type") == "summary":
            yield row._replace(raw=b"")


def _moment(value: Any) -> datetime | None:
    """When something was written, where it says so in a way that can be read."""
    if not isinstance(value, dict):
        return None
    meta = value.get("meta")
    said = value.get("ts") or (meta.get("ts") if isinstance(meta, dict) else None)
    try:
        if isinstance(said, str):
            found = datetime.fromisoformat(said)
        elif isinstance(said, int | float) and not isinstance(said, bool):
            found = datetime.fromtimestamp(said, UTC)
        else:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
