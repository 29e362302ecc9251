"""Where each event stands on a broker: a broker finds records by their offset alone.

A file below the home, filled by reading the log to its end. It can be deleted at any time. Many
processes may fill it at once; an event that stands twice is found where it stands first.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streams.errors import LogError
from streams.log.database import transaction
from streams.log.records import EVENT_ID, Place, Record, TopicPartition, mark

_PARAMETERS = 500  # per statement; SQLite allows at least 999
_WAIT_FOR_LOCK_S = 60.0
_DIGITS = frozenset("0123456789abcdef")

_TABLES = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists events (
  id blob primary key, topic text not null, partition integer not null, offset integer not null
) without rowid;
create table if not exists read (
  topic text not null, partition integer not null,
  end integer not null,       -- the first offset that is not in here
  at_ms integer not null,     -- the latest logged time so far
  last text not null,         -- of the record before it: differs in a log that was begun again
  primary key (topic, partition)
) without rowid;
"""


class Index:
    """The places of events by their ids; many threads may use it."""

    def __init__(self, path: Path) -> None:
        """Open the index at `path`, and make it where there is none.

        Raises:
            LogError: The file can't be opened or made.
        """
        self._path = path
        self._lock = threading.RLock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=_WAIT_FOR_LOCK_S, isolation_level=None, check_same_thread=False
            )
            self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file, behind what a thread is at: SQLite itself would crash."""
        with self._lock:
            self._db.close()

    def ends(self) -> dict[TopicPartition, int]:
        """The first offset of each partition that is not in the index."""
        found = self._rows("select topic, partition, end from read")
        return {(topic, partition): end for topic, partition, end in found}

    def latest_ms(self, topic: str, partition: int) -> int:
        """The latest logged time in what was read of the partition."""
        values = (topic, partition)
        found = self._rows("select at_ms from read where topic = ? and partition = ?", values)
        return int(found[0][0]) if found else 0

    def is_of(self, record: Record) -> bool:
        """Whether this record is the one that was read last of its partition."""
        query = "select last from read where topic = ? and partition = ? and end = ?"
        found = self._rows(query, (record.topic, record.partition, record.offset + 1))
        return bool(found) and found[0][0] == mark(record.offset, record.at_ms, record.value)

    def forget(self) -> None:
        """Begin anew: the log is another one."""
        with self._transaction():
            self._db.execute("delete from events")
            self._db.execute("delete from read")

    def add(self, records: Sequence[Record]) -> None:
        """Enter records that follow, in their partition, on those that are in the index.

        What another process entered meanwhile is passed over; what leaves a gap is too.
        """
        with self._transaction():
            ends = self.ends()
            new = [record for record in records if _takes(ends, record)]
            self._db.executemany(
                "insert into events values (?, ?, ?, ?) on conflict do nothing",
                [(i, r.topic, r.partition, r.offset) for r in new if (i := _event_id(r))],
            )
            last = {(record.topic, record.partition): record for record in new}
            self._db.executemany(
                "insert into read values (?, ?, ?, ?, ?) on conflict do update set"
                " end = excluded.end, at_ms = max(at_ms, excluded.at_ms), last = excluded.last",
                [
                    (
                        r.topic,
                        r.partition,
                        r.offset + 1,
                        _latest(new, spot),
                        mark(r.offset, r.at_ms, r.value),
                    )
                    for spot, r in last.items()
                ],
            )

    def places(self, event_ids: Iterable[str]) -> dict[str, Place]:
        """Where those of these events stand that are in the index."""
        wanted, found = [bytes.fromhex(event_id) for event_id in event_ids], {}
        for start in range(0, len(wanted), _PARAMETERS):
            part = wanted[start : start + _PARAMETERS]
            marks = ",".join("?" * len(part))
            for row in self._rows(f"select * from events where id in ({marks})", part):
                event_id, topic, partition, offset = row
                found[event_id.hex()] = Place(topic, partition, offset, is_new=False)
        return found

    def beginning(self, prefix: str, limit: int) -> list[Place]:
        """The places of the events whose id begins with these hexadecimal digits."""
        low, high = bytes.fromhex(prefix.ljust(32, "0")), bytes.fromhex(prefix.ljust(32, "f"))
        query = (
            "select topic, partition, offset from events where id between ? and ?"
            " order by id limit ?"
        )
        return [Place(t, p, o, is_new=False) for t, p, o in self._rows(query, (low, high, limit))]

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with self._lock, self._translated():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._translated(), transaction(self._db):
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LogError(
                f"{self._path}: can't use the index of the log: {error}. Make room on the disk, or"
                " delete it (and the files that begin with its name): it is made again."
            ) from error


def _takes(ends: dict[TopicPartition, int], record: Record) -> bool:
    """Whether the record is the next one of its partition; if so, it is counted."""
    spot = record.topic, record.partition
    if record.offset != ends.get(spot, 0):
        return False
    ends[spot] = record.offset + 1
    return True


def _event_id(record: Record) -> bytes | None:
    """The event's id in the headers; none where a foreign program wrote something else there."""
    found = dict(record.headers).get(EVENT_ID, b"").decode("ascii", "replace")
    return bytes.fromhex(found) if len(found) == 32 and set(found) <= _DIGITS else None


def _latest(records: Sequence[Record], spot: TopicPartition) -> int:
    return max(r.at_ms for r in records if (r.topic, r.partition) == spot)
