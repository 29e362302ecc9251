"""The columnar copy of the log: Parquet files HOME/columns/TOPIC/PARTITION/FROM-TO.parquet.

Each has the same number of records and is written once; what is in no file yet is read from the
log. The folder can be deleted at any time: the same log makes the same files.
"""

import logging
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from schemas.base import Fact
from streams import ids
from streams.columns import Rows, Unreadable, read, schema
from streams.log.door import Store
from streams.log.records import TopicPartition, mark
from streams.topics import TOPICS

if TYPE_CHECKING:
    import pyarrow as pa

FILE_RECORDS = 2048
"""Records in a file; as many, less one, may have to be read from the log at each opening."""

_PENDING = 2  # files under way: one is compressed while the disk takes the one before
_GROUP_BYTES = 16_000_000  # of rows that stand together: whoever reads one has all of them at once
_LARGE_BYTES = 4 * _GROUP_BYTES  # of a file: the next one is not read beside it
_FORMAT = 1  # of the files; another one has them written again
_NOTE = b"lem"  # under which a file's footer holds its `_Note`

_log = logging.getLogger(__name__)

Progress = Callable[[int], object]


class Part(NamedTuple):
    """A topic as columns: whole files, and the batches that no file holds."""

    files: list[Path]
    batches: "list[pa.RecordBatch]"
    unreadable: list[Unreadable]


def copied(
    store: Store,
    home: Path,
    ends: Mapping[TopicPartition, int],
    progress: Progress | None = None,
) -> dict[str, Part]:
    """Bring the copy up to these ends; return every topic's columns, those of empty ones too."""
    parts = {topic: Part([], [], []) for topic in TOPICS}
    with ThreadPoolExecutor(1, "lem-columns") as writer, ThreadPoolExecutor(1, "lem-disk") as disk:
        copy = _Copy(store, home / store.folder / "columns", writer, disk)
        for (topic, partition), end in ends.items():
            if topic in parts:
                for made in copy.add(parts[topic], topic, partition, end):
                    if progress:
                        progress(made)
        copy.settle(left=0)
    return parts


class _Note(msgspec.Struct, frozen=True):
    """What a file says of itself in its footer, so that a stale one is noticed."""

    form: str
    """Digest of the event type and of its columns."""

    last: str
    """Digest of the last record: it differs in a log that was begun again or went another way."""

    rows: int
    """As many as the file should have."""

    unreadable: list[tuple[int, str]]
    """Offset and error of the records that are no rows."""


class _Copy:
    """Sound files are taken, missing ones written while the next is read."""

    def __init__(
        self, store: Store, folder: Path, writer: ThreadPoolExecutor, disk: ThreadPoolExecutor
    ) -> None:
        self._store = store
        self._folder = folder
        self._writer, self._disk = writer, disk
        self._pending: deque[tuple[Future[None], Path, Part, Rows]] = deque()
        self._is_writable = True
        self._foreign: set[Path] = set()

    def add(self, part: Part, topic: str, partition: int, end: int) -> Iterator[int]:
        """Add a partition, up to `end`, to its topic's part; yields the records of new files."""
        whole = end - end % FILE_RECORDS
        self._forget_foreign(topic, partition, whole)
        for start in range(0, whole, FILE_RECORDS):
            if self._add_file(part, topic, partition, start):
                yield FILE_RECORDS
        if whole < end:
            rows = read(self._store, topic, partition, whole, end)
            part.batches.extend(rows.batches)
            part.unreadable.extend(rows.unreadable)

    def settle(self, *, left: int) -> None:
        """Wait until so many files are being written; keep in memory what can't be."""
        while len(self._pending) > left:
            done, path, part, rows = self._pending.popleft()
            try:
                done.result()
                part.files.append(path)
            except OSError as error:
                part.batches.extend(rows.batches)
                if self._is_writable:  # told once, however many were under way
                    said = "%s can't be written (%s); reading from the log instead."
                    _log.warning(said, path, error)
                self._is_writable = False

    def _add_file(self, part: Part, topic: str, partition: int, start: int) -> bool:
        """Take the file that there is, or make it; true for the latter."""
        path = self._path(topic, partition, start)
        note = None if path in self._foreign else _note(path)
        if note and note.form == _form(TOPICS[topic].event):
            part.files.append(path)
            part.unreadable.extend(Unreadable(topic, partition, *bad) for bad in note.unreadable)
            return False
        if note:
            _log.warning("%s is of another lem; it is written again.", path)
        rows = read(self._store, topic, partition, start, start + FILE_RECORDS)
        self._make_file(path, part, rows)
        return True

    def _forget_foreign(self, topic: str, partition: int, whole: int) -> None:
        """Delete the files of another log: from the last one back to the first that is of this.

        Those before that one are of this log too: they were written, or deleted here, before it.
        """
        for start in range(whole - FILE_RECORDS, -1, -FILE_RECORDS):
            path = self._path(topic, partition, start)
            if not (note := _note(path)):
                continue
            offset = start + FILE_RECORDS - 1
            (last,) = self._store.read(topic, partition, offset=offset, limit=1)
            if note.last == mark(last.offset, last.at_ms, last.value):
                return
            _log.warning("%s is of another log; it is written again.", path)
            self._foreign.add(path)
            with suppress(OSError):  # nothing can be written there either
                path.unlink()

    def _path(self, topic: str, partition: int, start: int) -> Path:
        name = f"{start:012}-{start + FILE_RECORDS - 1:012}.parquet"
        return self._folder / topic / str(partition) / name

    def _make_file(self, path: Path, part: Part, rows: Rows) -> None:
        self.settle(left=_PENDING)
        part.unreadable.extend(rows.unreadable)
        if self._is_writable:
            done = self._disk.submit(_land, self._writer.submit(_write, path, rows), path)
            self._pending.append((done, path, part, rows))
        else:
            part.batches.extend(rows.batches)
        if sum(each.nbytes for each in rows.batches) > _LARGE_BYTES:
            self.settle(left=0)


def _write(path: Path, rows: Rows) -> Path:
    """Write a file under a name of its own, and return that."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = TOPICS[rows.topic].event
    table = pa.Table.from_batches(rows.batches, schema(kind))
    bad = [(each.offset, each.error) for each in rows.unreadable]
    note = _Note(_form(kind), mark(*rows.last), table.num_rows, bad)
    table = table.replace_schema_metadata({_NOTE: msgspec.json.encode(note)})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}")
    try:
        # By its path: a Python file would take the interpreter's lock for each page.
        size = max(1, table.num_rows * _GROUP_BYTES // max(1, table.nbytes))
        pq.write_table(table, unfinished, compression="snappy", row_group_size=size)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return unfinished


def _land(written: "Future[Path]", path: Path) -> None:
    """When the file is on the disk, give it its name: nobody ever sees half of one."""
    unfinished = written.result()
    try:
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _note(path: Path) -> _Note | None:
    """What a file says of itself; none where there is no file, or a broken or foreign one."""
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
        note = msgspec.json.decode((footer.metadata or {}).get(_NOTE, b""), type=_Note)
        if note.rows == footer.num_rows:
            return note
        error: Exception | str = f"{footer.num_rows} rows of {note.rows}"
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, msgspec.MsgspecError) as found:
        error = found
    _log.warning("%s is no sound part of the copy (%s); it is written again.", path, error)
    return None


@cache
def _form(kind: type[Fact]) -> str:
    """Changes with what can be read as an event of this type, and with the shape of its columns."""
    return ids.digest([_FORMAT, msgspec.json.schema(kind), str(schema(kind))])
