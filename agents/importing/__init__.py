"""History becomes events: files of earlier tools, whatever their shape, are brought onto the log.

What happened then stands there as if it had been told at the time: probe, run, request, generation
and score, each with its time and with the file and line that it came from. Ids follow from content,
so that the same files again add nothing, and an import that was stopped is completed by the next.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from agents.importing.facts import PHASE
from agents.importing.file import count_runs, opened
from agents.importing.known import Known
from agents.importing.recognise import FORMATS, Source, Unknown, recognised
from agents.importing.rows import BadRow
from agents.importing.writing import Counts, Writer
from streams.errors import ConfigError, LogError
from streams.log.door import Store
from streams.seeds import reason

_MOST_TOLD = 100  # bad rows of one file; one that is all wrong must not fill the memory


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What can be imported, and what can't."""

    sources: list[Source]
    """In the order in which they are to be read."""

    named: list[str]
    """Files that were named and are of no known format, with the reason."""

    met: list[str]
    """Files of named folders that are of no known format, with the reason."""

    @property
    def kilobytes(self) -> int:
        """How much there is to read."""
        return sum(source.size for source in self.sources) // 1000


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an import."""

    files: list[Counts]
    buried: list[str]
    """A sentence for each row that can't be used, with file and line; of one file, the first."""


def planned(paths: Iterable[Path], phase: str = PHASE) -> Plan:
    """Look at every file below the paths; nothing is written.

    Args:
        paths: Files and folders.
        phase: Whose gate is to judge the responses; none does for history.

    Raises:
        ConfigError: A path is not there.
    """
    sources: list[Source] = []
    named: list[str] = []
    met: list[str] = []
    for path in paths:
        if not path.exists():
            raise ConfigError(f"There is no {path}; name a file, or a folder of them.")
        for file in _below(path):
            try:
                sources.append(msgspec.structs.replace(recognised(file), phase=phase))
            except Unknown as why:
                (met if path.is_dir() else named).append(str(why))
    unique = {source.path.resolve(): source for source in sources}.values()
    ordered = sorted(unique, key=lambda source: (FORMATS.index(source.format), source.path))
    return Plan(sources=ordered, named=named, met=met)


def imported(
    store: Store, plan: Plan, *, progress: Callable[[int], object] = lambda _: None
) -> Imported:
    """Bring everything that was planned onto the log.

    Args:
        store: The log.
        plan: What to read.
        progress: Called with how many more bytes were read.
    """
    buried: list[str] = []
    files = []
    try:
        with closing(Known(store)) as known:
            for source in plan.sources:
                try:
                    files.append(_import(store, known, source, buried, progress))
                except (OSError, json.JSONDecodeError) as error:  # it has changed since
                    buried.append(reason(source.path, error))
    except sqlite3.Error as error:
        raise LogError(
            f"The import stopped: {error}. It keeps notes in a temporary file; SQLITE_TMPDIR names"
            " a folder with room for it."
        ) from error
    return Imported(files=files, buried=buried)


def _import(
    store: Store, known: Known, source: Source, buried: list[str], progress: Callable[[int], object]
) -> Counts:
    told = len(buried)

    def tell(sentence: str) -> None:
        if len(buried) - told < _MOST_TOLD:
            buried.append(sentence)

    file = opened(source)
    count_runs(file, known)
    writer = Writer(store, known, file, tell)
    for row in source.rows():
        writer.counts.rows += 1
        try:
            writer.add(row, file.told(row))
        except BadRow as error:
            writer.bury(row, str(error))
        progress(row.size)
    return writer.finish()


def _below(path: Path) -> Iterator[Path]:
    """The file, or every file of a folder and of those in it; hidden ones are left out."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and (file := Path(folder, name)).is_file():
                yield file
