"""Is the log sound? Every record is read and held against the rules that the pipeline relies on.

Limits:
* what a dead letter holds is not followed: it is kept because it can't be used;
* a topic that no step of ours knows is checked for its order alone;
* a checksum tells a changed byte, but who changes a record on purpose can write a new one.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import msgspec

from schemas import Event, Generated, Scored
from streams import envelope, ids
from streams.errors import LogError, UnreadableRecord
from streams.log.door import Store
from streams.log.records import Record
from streams.topics import TOPICS

_AT_ONCE = 200  # records in memory; at 100 KB each that is 20 MB
_MOST_TOLD = 100  # problems of one rule; a log that is all wrong must not fill the memory

RULES = {
    "file": "what the log lies on: the file, or the topics' settings",
    "order": "offsets without a gap, logged times that do not go back",
    "bytes": "every record has the checksum that was written with it",
    "unreadable": "every record is an event of its topic",
    "id": "every id is the one that the event's content gives",
    "cause": "every event that another one names as its cause is there",
    "repeated": "no event stands twice",
    "generation": "one generation for each request",
    "score": "one score for each generation and scorer version",
    "definition": "one definition for each scorer version",
    "committed": "no group is further than the log",
}
"""What is checked, in this order."""

Progress = Callable[[int], object]


class Problem(msgspec.Struct, frozen=True):
    """Something on the log that should not be."""

    place: str
    """Where, as `scores[0]@77`; a file or a partition where no one record is meant."""

    rule: str
    """Which of `RULES` it breaks."""

    message: str
    """A sentence for a person, with the values."""


class Findings(msgspec.Struct, frozen=True):
    """What was looked at, and what was found."""

    checked: dict[str, int]
    """How many things each rule was held against."""

    problems: list[Problem]
    """In the order of the rules; beyond a hundred for one rule, the last says how many more."""


def verify(store: Store, *, progress: Progress | None = None) -> list[Problem]:
    """Everything that is wrong with the log; empty for a sound one."""
    return examined(store, progress=progress).problems


def examined(store: Store, *, progress: Progress | None = None) -> Findings:
    """Check the log as it is now; what is appended meanwhile is left for the next time.

    Args:
        store: The log.
        progress: Called with how many records were read since the last call.

    Raises:
        LogError: There is no room for the temporary file of the check.
    """
    try:
        return _Examination(store, progress or (lambda _: None)).findings()
    except sqlite3.Error as error:
        raise LogError(
            f"{store.place} can't be checked: {error}. The check keeps notes in a temporary file;"
            " SQLITE_TMPDIR names a folder with room for it."
        ) from error


class _Examination:
    """One pass over the log; what must be unique is kept in a file of its own, not in memory."""

    def __init__(self, store: Store, progress: Progress) -> None:
        self._store = store
        self._progress = progress
        self._told: dict[str, list[Problem]] = {rule: [] for rule in RULES}
        self._broken: Counter[str] = Counter()
        self._checked: Counter[str] = Counter(dict.fromkeys(RULES, 0))

    def findings(self) -> Findings:
        with closing(sqlite3.connect("", isolation_level=None)) as notes:
            self._notes = notes
            notes.executescript(_NOTES)
            log = self._store.place
            with self._sound(log):
                self._file()
            with self._sound(log):
                self._topics()
            notes.execute("commit")
            notes.execute("create index claims_by_key on claims (key, rule)")
            with self._sound(log):
                self._causes()
            self._claims()
            self._definitions()
        with self._sound(log):
            self._committed()
        return Findings(dict(self._checked), list(self._all()))

    def _tell(self, rule: str, place: str, message: str) -> None:
        self._broken[rule] += 1
        if self._broken[rule] <= _MOST_TOLD:
            self._told[rule].append(Problem(place, rule, message))

    def _all(self) -> Iterator[Problem]:
        for rule, told in self._told.items():
            yield from told
            if (more := self._broken[rule] - len(told)) > 0:
                yield Problem("log", rule, f"{more:,} more of this kind are not listed.")

    @contextmanager
    def _sound(self, place: str) -> Iterator[None]:
        """Tell what of the file can't be read, and go on with the rest."""
        try:
            yield
        except LogError as error:
            self._tell("file", place, str(error))

    def _file(self) -> None:
        self._checked["file"] += 1
        for said in self._store.check():
            self._tell("file", self._store.place, said)

    def _topics(self) -> None:
        for topic, partitions in self._store.topics().items():
            for partition in range(partitions):
                with self._sound(f"{topic}[{partition}]"):
                    self._partition(topic, partition)

    def _partition(self, topic: str, partition: int) -> None:
        offset, at_ms, end = 0, 0, self._store.end(topic, partition)
        while offset < end:
            limit = min(_AT_ONCE, end - offset)
            batch = self._store.read(topic, partition, offset=offset, limit=limit)
            if not batch:  # an index that lost its entries tells an end that can't be read
                place = f"{topic}[{partition}]@{offset}"
                self._tell("order", place, f"offsets {offset} to {end - 1} are missing.")
                break
            for record in batch:
                self._order(record, offset, at_ms)
                offset, at_ms = record.offset + 1, record.at_ms
            if topic in TOPICS:
                self._events(batch)
            self._progress(len(batch))

    def _order(self, record: Record, expected: int, last_ms: int) -> None:
        self._checked["order"] += 1
        if record.offset != expected:
            missing = f"{expected} to {record.offset - 1}"
            self._tell("order", _place(record), f"offsets {missing} are missing before it.")
        if record.at_ms < last_ms - self._store.slack_ms:
            back = f"it was logged {last_ms - record.at_ms:,} ms before the record ahead of it."
            self._tell("order", _place(record), back)

    def _events(self, batch: list[Record]) -> None:
        """Note what the batch's events claim, to be compared when all are read."""
        read = [(_place(r), event) for r in batch if (event := self._event(r)) is not None]
        for place, event in read:
            if (right := ids.of(event)) != event.id:
                said = f'its id is "{event.id}", but its content gives {right}.'
                self._tell("id", place, said)
        claims = [
            (rule, key, event.id if self._store.is_shared else None, place)
            for place, event in read
            for rule, key in _claims(event)
        ]
        causes = [(event.cause, place) for place, event in read if event.cause is not None]
        scores = [(e.scorer, e.definition, p) for p, e in read if isinstance(e, Scored)]
        self._notes.executemany("insert into claims values (?, ?, ?, ?)", claims)
        self._notes.executemany("insert into causes values (?, ?)", causes)
        self._notes.executemany("insert or ignore into definitions values (?, ?, ?)", scores)
        self._checked.update(rule for rule, *_ in claims)
        self._checked.update({"id": len(read), "cause": len(causes)})

    def _event(self, record: Record) -> Event | None:
        self._checked.update(("bytes", "unreadable"))
        if not envelope.is_as_written(record):
            self._tell("bytes", _place(record), "its bytes are not those that were written.")
        try:
            return envelope.event(record)
        except UnreadableRecord as error:
            place = _place(record)
            self._tell("unreadable", place, str(error).removeprefix(f"{place} "))
            return None

    def _causes(self) -> None:
        for cause, place in self._notes.execute(_MISSING_CAUSES):
            # The log's own index knows those that are unreadable, or came after this pass.
            if not _is_on(self._store, cause):
                self._tell("cause", place, f'its cause "{cause}" is not on the log.')

    def _claims(self) -> None:
        # Many writers may append one event twice: only what differs contradicts itself there.
        counted = "count(distinct id)" if self._store.is_shared else "count(*)"
        for rule, key, count in self._notes.execute(_REPEATED_CLAIMS.format(counted=counted)):
            (first, _), (again, _) = self._notes.execute(_PLACES, (key, rule))
            self._tell(rule, again, f"{_SAID[rule].format(key, count)}, the first at {first}.")

    def _definitions(self) -> None:
        (count,) = self._notes.execute("select count(*) from definitions").fetchone()
        self._checked["definition"] = count
        for scorer, definition, place, first, first_place in self._notes.execute(_REDEFINED):
            self._tell(
                "definition",
                place,
                f'"{scorer}" is defined as {definition[:12]} here, but as {first[:12]} at'
                f" {first_place}; a changed scorer needs a version of its own.",
            )

    def _committed(self) -> None:
        ends = self._store.ends()
        for group in self._store.groups():
            for (topic, partition), offset in self._store.committed(group).items():
                self._checked["committed"] += 1
                if offset > (end := ends.get((topic, partition), 0)):
                    said = f'group "{group}" is at offset {offset}, but the log ends at {end}.'
                    self._tell("committed", f"{topic}[{partition}]@{offset}", said)


def _place(record: Record) -> str:
    return f"{record.topic}[{record.partition}]@{record.offset}"


def _claims(event: Event) -> Iterator[tuple[str, str]]:
    """What only one event on the log may say: rule and key."""
    yield "repeated", event.id
    if isinstance(event, Generated):
        yield "generation", event.request
    if isinstance(event, Scored):
        yield "score", f"{event.generation} by {event.scorer}"


def _is_on(store: Store, event_id: str) -> bool:
    try:
        return bool(store.known([event_id]))
    except ValueError:  # no hexadecimal digits
        return False


_SAID = {
    "repeated": "event {} stands {} times",
    "generation": "request {} has {} generations",
    "score": "generation {} has {} scores",
}

_NOTES = """
    pragma journal_mode = off; pragma cache_size = -65536;
    create table claims (rule text, key text, id text, place text);
    create table causes (cause text, place text);
    create table definitions (
      scorer text, definition text, place text, unique (scorer, definition)
    );
    begin;
"""

_MISSING_CAUSES = """
    select cause, place from causes
    where not exists (select 1 from claims where key = cause and rule = 'repeated')
    order by causes.rowid
"""

_REPEATED_CLAIMS = """
    select rule, key, {counted} from claims group by key, rule having {counted} > 1
    order by min(rowid)
"""

_PLACES = """
    select place, min(rowid) from claims where key = ? and rule = ?
    group by coalesce(id, rowid) order by 2 limit 2
"""

_REDEFINED = """
    select d.scorer, d.definition, d.place, first.definition, first.place
    from definitions d
    join definitions first on first.rowid = (
      select min(rowid) from definitions where scorer = d.scorer
    )
    where d.rowid <> first.rowid order by d.rowid
"""
