"""The log in one SQLite file: records appended, read and counted off. Nothing here of Faust.

Behaviour:
* an append is durable when it returns (WAL, `synchronous=FULL`, on macOS `fullfsync`);
* an event whose id the log has already is not appended again: its place is told instead;
* many processes may read and append; offsets of a partition have no gap and no two are equal;
* a store belongs to one thread at a time; open one for each thread.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

import msgspec

from streams.errors import LogError
from streams.log.database import Database
from streams.log.group import held, holders
from streams.log.records import Draft, Headers, Place, Record, TopicPartition

_LOOK_EVERY_S = 0.01
_PARAMETERS = 500  # per statement; SQLite allows at least 999

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Headers).decode


class EmbeddedStore:
    """One connection to the log in a file."""

    folder = prefix = ""
    slack_ms = 0
    is_shared = False

    def __init__(self, path: Path) -> None:
        """Open the log at `path`, and make it where there is none.

        Raises:
            LogError: The file can't be opened or made, is no log, or has a newer format.
        """
        self.path = path
        self.place = str(path)
        self._db = Database(path)
        self._topics: dict[str, tuple[int, int]] = {}

    def close(self) -> None:
        """Close the connection; the log can be opened again."""
        self._db.close()

    def faust(self) -> dict[str, str]:
        """Settings for a Faust app: the path is absolute, since a relative one has a host."""
        return {"broker": f"sqlite://{quote(str(self.path.absolute()))}"}

    def declare(self, topic: str, partitions: int) -> int:
        """Make the topic where it is missing; return how many partitions it has."""
        if topic not in self.topics():
            with self._db.transaction():
                self._db.many(
                    "insert into topics (name, partitions) values (?, ?) on conflict do nothing",
                    [(topic, partitions)],
                )
        return self._topic(topic)[1]

    def topics(self) -> dict[str, int]:
        """How many partitions each topic has, by name, in the order of their making."""
        rows = self._db.rows("select name, id, partitions from topics order by id")
        self._topics = {name: (topic, partitions) for name, topic, partitions in rows}
        return {name: partitions for name, (_, partitions) in self._topics.items()}

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """The partition that records of this key go to."""
        return crc32(key or b"") % self._topic(topic)[1]

    def append(
        self,
        drafts: Sequence[Draft],
        *,
        group: str = "",
        offsets: Mapping[TopicPartition, int] | None = None,
    ) -> list[Place]:
        """Append the drafts, and commit the group's offsets, in one transaction: all or nothing.

        Raises:
            LogError: Nothing was written: the disk is full, the topic is unknown, ….
        """
        with self._db.transaction():
            places = self._insert(drafts)
            self._db.many(
                "insert into committed values (?, ?, ?, ?) on conflict do update"
                " set offset = excluded.offset",
                [(group, self._topic(t)[0], p, end) for (t, p), end in (offsets or {}).items()],
            )
        return places

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Note the first offset that the group has not done yet, for each partition."""
        self.append((), group=group, offsets=offsets)

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """The group's committed offsets; a partition without one is missing."""
        rows = self._db.rows(
            "select name, partition, offset from committed join topics on topics.id = topic"
            " where consumer_group = ?",
            (group,),
        )
        return {(name, partition): offset for name, partition, offset in rows}

    def groups(self) -> list[str]:
        """Every consumer group that ever committed."""
        rows = self._db.rows("select distinct consumer_group from committed order by 1")
        return [group for (group,) in rows]

    def workers(self) -> dict[str, list[str]]:
        """The process of each group's worker, as long as it runs."""
        return {name: [f"process {pid}"] for name, pid in holders(self.path).items()}

    def held(self, group: str) -> AbstractContextManager[None]:
        """Take the place of the group's worker."""
        return held(self.path, group)

    def read(
        self, topic: str, partition: int, *, offset: int = 0, limit: int = 1000
    ) -> list[Record]:
        """The records of a partition from `offset` on, at most `limit`."""
        rows = self._db.rows(
            "select offset, at_ms, key, value, headers from records"
            " where topic = ? and partition = ? and offset >= ? order by offset limit ?",
            (self._topic(topic)[0], partition, offset, limit),
        )
        return [_record(topic, partition, *row) for row in rows]

    def values(
        self, topic: str, partition: int, *, offset: int = 0, limit: int = 1000
    ) -> Iterator[tuple[int, int, bytes | None]]:
        """Offset, logged time and value alone, one by one: twice as fast as `read`."""
        return self._db.iterated(
            "select offset, at_ms, value from records"
            " where topic = ? and partition = ? and offset >= ? order by offset limit ?",
            (self._topic(topic)[0], partition, offset, limit),
        )

    def scan(self, topic: str, partition: int, *, offset: int = 0) -> Iterator[Record]:
        """Every record of a partition from `offset` on, read in batches."""
        while batch := self.read(topic, partition, offset=offset):
            yield from batch
            offset = batch[-1].offset + 1

    def end(self, topic: str, partition: int) -> int:
        """The offset that the partition's next record will have."""
        return self._end(self._topic(topic)[0], partition)[0]

    def records(self, topic: str) -> int:
        """How many records the topic has, over all its partitions."""
        return sum(self.end(topic, partition) for partition in range(self._topic(topic)[1]))

    def ends(self) -> dict[TopicPartition, int]:
        """The end of every partition of every topic."""
        return {(t, p): self.end(t, p) for t, n in self.topics().items() for p in range(n)}

    def offset_at(self, topic: str, partition: int, at_ms: int) -> int:
        """The first offset whose record was appended at `at_ms` or later."""
        low, high = 0, self.end(topic, partition)
        while low < high:
            middle = (low + high) // 2
            if self.read(topic, partition, offset=middle, limit=1)[0].at_ms < at_ms:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, event_id: str, *, limit: int = 10) -> list[Record]:
        """The records of the events whose id begins with these hexadecimal digits."""
        low, high = event_id.ljust(32, "0"), event_id.ljust(32, "f")
        rows = self._db.rows(
            "select name, partition, offset, at_ms, key, value, headers from records"
            " join topics on topics.id = topic where event_id between ? and ?"
            " order by event_id limit ?",
            (bytes.fromhex(low), bytes.fromhex(high), limit),
        )
        return [_record(*row) for row in rows]

    def known(self, event_ids: Iterable[str]) -> set[str]:
        """Those of the ids that the log has already."""
        return set(self._places({bytes.fromhex(event_id) for event_id in event_ids}))

    def version(self) -> int:
        """A number that changes when another connection commits; microseconds to ask for."""
        return int(self._db.rows("pragma data_version")[0][0])

    def wait(self, ends: Mapping[TopicPartition, int], timeout_s: float) -> None:
        """Return when a partition goes beyond one of these ends, or when the time is over."""
        deadline = time.monotonic() + timeout_s
        while True:
            version = self.version()  # before the look: what comes during it is not missed
            if any(self.end(*spot) > end for spot, end in ends.items()):
                return
            while self.version() == version:
                if time.monotonic() >= deadline:
                    return
                time.sleep(_LOOK_EVERY_S)

    def check(self) -> list[str]:
        """What SQLite finds damaged in the file; empty for a sound one."""
        found = [str(row[0]) for row in self._db.rows("pragma quick_check")]
        return [] if found == ["ok"] else found

    def _insert(self, drafts: Sequence[Draft]) -> list[Place]:
        now_ms = time.time_ns() // 1_000_000
        ids = [bytes.fromhex(draft.event_id) if draft.event_id else None for draft in drafts]
        known = self._places({event_id for event_id in ids if event_id})
        ends: dict[tuple[int, int], tuple[int, int]] = {}
        rows, places = [], []
        for draft, blob in zip(drafts, ids, strict=True):
            topic, value, key, headers, event_id, partition, at_ms = draft
            if event_id in known:
                places.append(known[event_id])
                continue
            number, partitions = self._topic(topic)
            if partition is None:
                partition = self.partition_of(topic, key)
            if not 0 <= partition < partitions:
                said = f"{topic} has partitions 0 to {partitions - 1}, and no {partition}."
                raise LogError(f"{self.path}: {said} Nothing of this write is on the log.")
            spot = number, partition
            end, last_ms = ends.get(spot) or self._end(*spot)
            at_ms = max(last_ms, at_ms or now_ms)
            ends[spot] = end + 1, at_ms
            packed = _pack(headers) if headers else None
            rows.append((*spot, end, at_ms, blob, key, value, packed))
            places.append(Place(topic, partition, end, is_new=True))
            if event_id:
                known[event_id] = Place(topic, partition, end, is_new=False)
        self._db.many(
            "insert into records (topic, partition, offset, at_ms, event_id, key, value, headers)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        return places

    def _places(self, event_ids: Iterable[bytes]) -> dict[str, Place]:
        wanted, found = list(event_ids), {}
        for start in range(0, len(wanted), _PARAMETERS):
            part = wanted[start : start + _PARAMETERS]
            rows = self._db.rows(
                "select event_id, name, partition, offset from records join topics"
                f" on topics.id = topic where event_id in ({','.join('?' * len(part))})",
                part,
            )
            found.update({i.hex(): Place(t, p, o, is_new=False) for i, t, p, o in rows})
        return found

    def _end(self, topic: int, partition: int) -> tuple[int, int]:
        rows = self._db.rows(
            "select offset + 1, at_ms from records where topic = ? and partition = ?"
            " order by offset desc limit 1",
            (topic, partition),
        )
        return rows[0] if rows else (0, 0)

    def _topic(self, name: str) -> tuple[int, int]:
        if name not in self._topics:
            self.topics()
        try:
            return self._topics[name]
        except KeyError:
            there = ", ".join(self._topics) or "none"
            raise LogError(f'{self.path} has no topic "{name}"; there are: {there}.') from None


def _record(
    topic: str,
    partition: int,
    offset: int,
    at_ms: int,
    key: bytes | None,
    value: bytes | None,
    headers: bytes | None,
) -> Record:
    return Record(topic, partition, offset, at_ms, key, value, _unpack(headers) if headers else ())
