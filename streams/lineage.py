"""Lineage: what came of a request, an answer or a decision, found without replaying the log.

Beside the log lies an index of what names what: the cause of each event, and the generation that it
is about. It can be deleted at any time, and is brought up to date before it is asked.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from streams.envelope import event
from streams.errors import LogError, UnreadableRecord
from streams.log.database import transaction
from streams.log.door import Store
from streams.log.records import Record, TopicPartition
from streams.topics import DECISIONS, GENERATIONS, REVIEWS, SCORES

_TOPICS = (GENERATIONS.name, SCORES.name, DECISIONS.name, REVIEWS.name)
_FORMAT = 1
_AT_ONCE = 20_000  # links that are written together

_SCHEMA = f"""
pragma journal_mode = wal;
pragma synchronous = off;  -- what is lost is found again
create table if not exists links (
  link integer, topic integer, partition integer, offset integer,
  primary key (link, topic, partition, offset)
) without rowid;
create table if not exists ends (
  topic integer, partition integer, offset integer, last text, primary key (topic, partition)
) without rowid;
pragma user_version = {_FORMAT};
"""


_ADD = "insert or ignore into links values (?, ?, ?, ?)"
_NOTE = "insert or replace into ends values (?, ?, ?, ?)"


class _Names(msgspec.Struct):
    """Of an event, what it names."""

    id: str = ""
    cause: str | None = None
    generation: str | None = None


class Lineage:
    """An index over one log; it belongs to one thread."""

    def __init__(self, store: Store, home: Path) -> None:
        """Open it, or begin it.

        Raises:
            LogError: It can't be written.
        """
        self._store = store
        self._path = home / store.folder / "lineage.db"
        with self._told():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._opened()

    def close(self) -> None:
        """Close the index; it can be opened again."""
        self._db.close()

    def read_on(self, progress: Callable[[int], None] = lambda count: None) -> None:
        """Take up what the log has got since.

        Args:
            progress: Called with how many more records were read.

        Raises:
            LogError: The log can't be read, or the index not written.
        """
        ends = {place: end for place, end in self._store.ends().items() if place[0] in _TOPICS}
        with self._told(), transaction(self._db):
            known = self._known()
            if not all(self._is_of(place, *far, ends) for place, far in known.items()):
                self._db.execute("delete from links")
                self._db.execute("delete from ends")
                known = {}
            for place, end in sorted(ends.items()):
                begin, _ = known.get(place, (0, ""))
                self._take(*place, begin, end, progress)

    def effects(self, event_id: str) -> list[Record]:
        """What followed from an event, and from that, each once; in the order of the topics.

        Raises:
            LogError: The log or the index can't be read.
        """
        found: dict[tuple[str, int, int], Record] = {}
        todo = [event_id]
        with self._told():
            while todo:
                named = {each[:3]: each for each in self._naming(todo.pop())}
                new = {place: each for place, each in named.items() if place not in found}
                found |= new
                todo += [event(each).id for each in new.values()]
        return [found[place] for place in sorted(found, key=_order)]

    def _naming(self, event_id: str) -> Iterator[Record]:
        """The readable events that name this one."""
        query = "select topic, partition, offset from links where link = ?"
        for number, partition, offset in self._db.execute(query, (_link(event_id),)).fetchall():
            topic = _TOPICS[number]
            for record in self._store.read(topic, partition, offset=offset, limit=1):
                names = _names(record.value)
                if event_id in (names.cause, names.generation) and _is_readable(record):
                    yield record

    def _take(
        self, topic: str, partition: int, begin: int, end: int, progress: Callable[[int], None]
    ) -> None:
        number, values = _TOPICS.index(topic), self._values(topic, partition, begin, end)
        while part := list(islice(values, _AT_ONCE)):
            names = [(offset, _names(value)) for offset, value in part]
            links = {
                (_link(link), number, partition, offset)
                for offset, each in names
                for link in (each.cause, each.generation)
                if link
            }
            last, name = names[-1]
            self._db.executemany(_ADD, sorted(links))
            self._db.execute(_NOTE, (number, partition, last + 1, name.id))
            progress(len(part))

    def _values(
        self, topic: str, partition: int, begin: int, end: int
    ) -> Iterator[tuple[int, bytes | None]]:
        while begin < end:
            read = self._store.values(topic, partition, offset=begin, limit=min(2000, end - begin))
            found = [(offset, value) for offset, _, value in read]
            if not found:
                return
            yield from found
            begin = found[-1][0] + 1

    def _known(self) -> dict[TopicPartition, tuple[int, str]]:
        """How far the index goes, and the id of the last event in it."""
        rows = self._db.execute("select topic, partition, offset, last from ends").fetchall()
        return {
            (_TOPICS[topic], partition): (offset, last) for topic, partition, offset, last in rows
        }

    def _is_of(
        self, place: TopicPartition, known: int, last: str, ends: Mapping[TopicPartition, int]
    ) -> bool:
        """Whether the log still has what the index saw last of a partition."""
        if known > ends.get(place, 0):
            return False
        read = self._store.read(*place, offset=known - 1, limit=1)
        return [_names(record.value).id for record in read] == [last]

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        (version,) = db.execute("pragma user_version").fetchone()
        if version not in (0, _FORMAT):
            db.close()
            self._path.unlink()
            db = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        with closing(db.cursor()) as cursor:
            cursor.executescript(_SCHEMA)
        return db

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LogError(
                f"{self._path}: the index of what came of what can't be used: {error}. The log is"
                " as it was; make room there, or delete the index, which is then made again."
            ) from error


def _order(place: tuple[str, int, int]) -> tuple[int, int, int]:
    topic, partition, offset = place
    return _TOPICS.index(topic), partition, offset


def _names(value: bytes | None) -> _Names:
    try:
        return _decoder.decode(value or b"")
    except msgspec.MsgspecError:
        return _Names()


def _is_readable(record: Record) -> bool:
    try:
        event(record)
    except UnreadableRecord:
        return False
    return True


def _link(event_id: str) -> int:
    """The first half of an id as a number of SQLite; who looks compares the whole one."""
    try:
        return int(event_id[:16], 16) - 2**63
    except ValueError:  # no id of ours
        return 0


_decoder = msgspec.json.Decoder(_Names)
