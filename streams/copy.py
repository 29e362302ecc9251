"""Copies a whole log to another place: a file or a broker, each to each.

Behaviour:
* an event is known by its id and copied once, so the same copy again completes one that stopped;
* a record without an id, or with that of another one, gets one by its place: a header at the end;
* records keep their partition where both topics have equally many; else they go by their keys, in
  the order of their logged times. What stood in one partition never changes its order;
* a logged time is kept, but for one that goes back: no log takes it.
"""

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from heapq import merge
from itertools import chain
from typing import NamedTuple

import msgspec

from streams.errors import ConfigError, GroupTaken, LogError
from streams.log.door import Store
from streams.log.records import EVENT_ID, Draft, Record, TopicPartition
from streams.topics import TOPICS

_READ, _APPENDED = 32, 500  # records at once; the largest, all of a sudden, are 256 MB to read
_BYTES = 8 * 1024 * 1024

Progress = Callable[[int], object]
Ends = Mapping[TopicPartition, int]


class Count(msgspec.Struct, frozen=True):
    """What became of one topic."""

    topic: str
    records: int
    """Records at the source as the copy began."""

    copied: int
    """Those that this copy appended."""

    there: int
    """Those that the target had."""

    repeated: int
    """Those that the source holds more than once; the copy has each once."""


class Copied(msgspec.Struct, frozen=True):
    """What a copy did; every record that it counts was read back, and is as at the source."""

    source: str
    target: str
    topics: list[Count]
    beyond: int
    """Records of the target that are not the source's."""

    meanwhile: int
    """Records that came to the source during the copy, and are left for the next one."""

    carried: list[str]
    """The groups that go on at the target where they were at the source."""

    kept: list[str]
    """The groups whose own offsets at the target were left alone."""


def copied(source: Store, target: Store, *, progress: Progress | None = None) -> Copied:
    """Copy what the source holds now, read it back, and carry the groups' offsets over.

    Args:
        source: The log that is read.
        target: Another log; what it has beside the source's records stays.
        progress: Called with how many records were read of the target, copied, and read back.

    Raises:
        ConfigError: A topic of the target has partitions that do not fit.
        LogError: A log can't be read or written, or the target holds something else under an id
            of the source. What was copied stays.
    """
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as notes:
            notes.executescript(_NOTES)
            return _Copying(source, target, notes, progress or (lambda _: None)).done()
    except sqlite3.Error as error:
        raise LogError(
            f"{source.place} can't be copied: {error}. The copy keeps notes in a temporary file;"
            " SQLITE_TMPDIR names a folder with room for it."
        ) from error


class _Copying(NamedTuple):
    """One copy; what stands where is kept in a file of its own, not in memory."""

    source: Store
    target: Store
    notes: sqlite3.Connection
    progress: Progress

    def done(self) -> Copied:
        # Before the ends: what came of a record that is done is then within them.
        committed = {group: self.source.committed(group) for group in self.source.groups()}
        ends = self.source.ends()
        topics = Counter(topic for topic, _ in ends)
        counts = {topic: self._declared(topic, count) for topic, count in topics.items()}
        before = self.target.ends()
        self._look({}, before)
        for topic, count in topics.items():
            self._topic(topic, ends, keeps=count == counts[topic])
        after = self.target.ends()
        self._look(before, after)
        self._refuse_difference("is not")
        told, beyond = self._told(topics)
        meanwhile = sum(self.source.ends().values()) - sum(ends.values())
        kept = [group for group, done in committed.items() if not self._carry(group, done, after)]
        carried = [group for group in committed if group not in kept]
        return Copied(self.source.place, self.target.place, told, beyond, meanwhile, carried, kept)

    def _declared(self, topic: str, partitions: int) -> int:
        """How many partitions the topic has at the target; it is made where it is missing."""
        is_whole = topic in TOPICS and TOPICS[topic].is_whole
        there = self.target.declare(topic, 1 if is_whole else partitions)
        if is_whole and there > 1 and self.target.is_shared:
            raise ConfigError(
                f"Topic {self.target.prefix}{topic} at {self.target.place} has {there}"
                " partitions, and must have one. Copy to another prefix, where lem makes it."
            )
        return there

    def _look(self, begins: Ends, ends: Ends) -> None:
        """Note what the target has between these offsets."""
        for spot, end in ends.items():
            for batch in _batches(_read(self.target, spot, begins.get(spot, 0), end)):
                rows = [(*record[:3], _content(record)) for record in batch]
                self.notes.executemany("insert into there values (?, ?, ?, ?)", rows)
                self.progress(len(batch))

    def _topic(self, topic: str, ends: Ends, *, keeps: bool) -> None:
        found = {spot: end for spot, end in ends.items() if spot[0] == topic}
        partitions = (_read(self.source, spot, 0, end) for spot, end in found.items())
        whole = chain(*partitions) if keeps else merge(*partitions, key=lambda r: r.at_ms)
        for batch in _batches(whole):
            self._append(batch, keeps=keeps)

    def _append(self, batch: list[Record], *, keeps: bool) -> None:
        drafted = [self._drafted(record, keeps=keeps) for record in batch]
        places = self.target.append([draft for draft, _ in drafted])
        last = self.notes.execute("select coalesce(max(rowid), 0) from copied").fetchone()[0]
        together = zip(batch, drafted, places, strict=True)
        rows = [(*record[:3], content, *place) for record, (_, content), place in together]
        self.notes.executemany("insert into copied values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._refuse_difference("<>", after=last)
        # What was there is not read once more.
        self.progress(sum(1 if place.is_new else 2 for place in places))

    def _drafted(self, record: Record, *, keeps: bool) -> tuple[Draft, bytes]:
        """The record for the target, and the digest of what it must be there."""
        # A foreign program may write a header without a value, which our files can't hold.
        record = record._replace(headers=tuple((n, v or b"") for n, v in record.headers))
        content = _content(record)
        if (event_id := self._own_id(record, content)) is None:
            event_id = _given_id(record)
            record = record._replace(headers=(*record.headers, (EVENT_ID, event_id.encode())))
            content = _content(record)
        topic, partition, _, at_ms, key, value, headers = record
        draft = Draft(topic, value, key, headers, event_id, partition if keeps else None)
        return draft._replace(at_ms=at_ms or -1), content  # 0 would stand for now

    def _own_id(self, record: Record, content: bytes) -> str | None:
        """The id in the headers; none where an earlier record has it, with other content."""
        found = dict(record.headers).get(EVENT_ID, b"")
        if not re.fullmatch(rb"[0-9a-f]{32}", found):
            return None
        self.notes.execute("insert or ignore into events values (?, ?)", (found, content))
        (first,) = self.notes.execute("select content from events where id = ?", (found,))
        return found.decode() if first == (content,) else None

    def _refuse_difference(self, differs: str, *, after: int = 0) -> None:
        """Compare what was copied with what was read of the target."""
        for here, there in self.notes.execute(_DIFFERENT.format(differs=differs), (after,)):
            raise LogError(
                f"{there} at {self.target.place} has the id of {here} at {self.source.place}, but"
                " not its content. Was one altered (`lem log verify`)? Else each log has a history"
                " of its own: copy to a new file, or to another prefix."
            )

    def _told(self, topics: Iterable[str]) -> tuple[list[Count], int]:
        """What became of each topic, and how much the target has beside."""
        found = {topic: counts for topic, *counts in self.notes.execute(_COUNTS)}
        told = [Count(topic, *found.get(topic, (0, 0, 0, 0))) for topic in topics]
        (there,) = self.notes.execute("select count(*) from there").fetchone()
        return told, there - sum(count.copied + count.there for count in told)

    def _carry(self, group: str, done: Ends, ends: Ends) -> bool:
        """Commit for the group at the target; false where it has a place of its own there."""
        if not self.target.committed(group):
            with suppress(GroupTaken), self.target.held(group):
                self.target.commit(group, self._undone(done, ends))
                return True
        return False

    def _undone(self, done: Ends, ends: Ends) -> dict[TopicPartition, int]:
        """The first record of each partition that the group has not done, wherever it is from."""
        self.notes.execute("delete from done")
        rows = ((*spot, offset) for spot, offset in done.items())
        self.notes.executemany("insert into done values (?, ?, ?)", rows)
        topics = {topic for topic, _ in done}
        found = {spot: end for spot, end in ends.items() if spot[0] in topics}
        return found | {(topic, p): offset for topic, p, offset in self.notes.execute(_UNDONE)}


def _read(log: Store, spot: TopicPartition, offset: int, end: int) -> Iterator[Record]:
    """The records up to `end`; of large ones, few at once."""
    limit = 1
    while offset < end:
        found = log.read(*spot, offset=offset, limit=min(limit, end - offset))
        if not found:
            raise LogError(
                f"{log.place}: {spot[0]}[{spot[1]}] ends at {end}, but from {offset} on no record"
                " can be read. `lem log verify` tells what is damaged."
            )
        yield from found
        offset = found[-1].offset + 1
        limit = max(1, min(2 * limit, _READ, _BYTES // max(map(_size, found))))


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += _size(record)
        if len(batch) >= _APPENDED or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(record: Record) -> int:
    return 100 + len(record.key or b"") + len(record.value or b"")


def _content(record: Record) -> bytes:
    """A digest of what must be equal at both logs."""
    topic, _, _, _, key, value, headers = record
    # The broker's client sends an empty key where there is neither key nor value.
    return _digest(topic, b"" if key is None and value is None else key, value, headers)


def _given_id(record: Record) -> str:
    return _digest(*record[:3], record.key, record.value).hex()


def _digest(*parts: object) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()[:16]


_NOTES = """
    pragma journal_mode = off; pragma cache_size = -65536;
    create table events (id blob primary key, content blob) without rowid;
    create table copied (
      topic text, partition integer, offset integer, content blob,
      at_topic text, at_partition integer, at_offset integer, is_new integer
    );
    create table there (topic text, partition integer, offset integer, content blob,
      primary key (topic, partition, offset)) without rowid;
    create table done (topic text, partition integer, offset integer);
    begin;
"""

_DIFFERENT = """
    select c.topic || '[' || c.partition || ']@' || c.offset, at_topic || '[' || at_partition
      || ']@' || at_offset
    from copied c left join there t on t.topic = at_topic and t.partition = at_partition
      and t.offset = at_offset
    where c.rowid > ? and t.content {differs} c.content order by c.rowid limit 1
"""

_COUNTS = """
    select topic, records, new, places - new, records - places from (
      select topic, count(*) as records, sum(is_new) as new,
        count(distinct at_partition || ':' || at_offset) as places from copied group by topic
    )
"""

# A record is done as soon as one that stands for it at the source is.
_UNDONE = """
    select topic, partition, min(offset) from there
    where topic in (select topic from done) and (topic, partition, offset) not in (
      select at_topic, at_partition, at_offset from copied c
      join done d on d.topic = c.topic and d.partition = c.partition and c.offset < d.offset
    )
    group by topic, partition
"""
