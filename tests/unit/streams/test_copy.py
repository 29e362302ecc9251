"""A log copied to another file: what arrives, what is left out, what is refused."""

import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from streams.copy import Copied, copied
from streams.errors import LogError
from streams.log.door import Store
from streams.log.records import EVENT_ID, Draft, Headers, Record
from streams.log.store import EmbeddedStore

ID = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32


@pytest.fixture
def source(store: EmbeddedStore) -> EmbeddedStore:
    return store


@pytest.fixture
def target(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with closing(EmbeddedStore(tmp_path / "target.db")) as opened:
        yield opened


def event(value: bytes, event_id: str = ID) -> Draft:
    """A record with an id, as the envelope writes it."""
    headers = ((EVENT_ID, event_id.encode()), ("lem-type", b"test"))
    return Draft("probes", value, b"key", headers, event_id)


def numbered(count: int) -> list[Draft]:
    return [event(b"%d" % n, f"{n:032x}") for n in range(count)]


def records(log: Store) -> list[Record]:
    """All of a log, topic by topic."""
    spots = sorted(log.ends())
    return [record for topic, partition in spots for record in log.scan(topic, partition)]


def bare(log: Store) -> list[tuple[object, ...]]:
    """The records without their times and ids: those a copy may give."""
    return [
        (r.topic, r.partition, r.key, r.value, [each for each in r.headers if each[0] != EVENT_ID])
        for r in records(log)
    ]


def counts(found: Copied) -> tuple[int, int, int, int]:
    """Probes at the source, copied now, there already, repeated."""
    (count,) = (each for each in found.topics if each.topic == "probes")
    return count.records, count.copied, count.there, count.repeated


def behind_its_back(store: EmbeddedStore, statement: str) -> None:
    """Change the file as nobody may: the trigger is dropped first."""
    with closing(sqlite3.connect(store.path)) as db, db:
        db.execute("drop trigger records_are_not_updated")
        db.execute(statement)


class Stop(Exception):
    """A copy ends in its middle."""


def stopping(after: int) -> Callable[[int], None]:
    """A progress that stops the copy when so much is done."""
    told: list[int] = []

    def progress(count: int) -> None:
        told.append(count)
        if sum(told) >= after:
            raise Stop

    return progress


def test_every_record_arrives_as_it_was(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.declare("elsewhere", 4)
    source.append([event(b"\x00\xff")._replace(at_ms=-1, key=None)])
    source.append([event(b"", "1" * 32)._replace(at_ms=1_700_000_000_000, value=None)])
    source.append([event(b"", OTHER)._replace(topic="elsewhere", key=b"\xff", partition=2)])

    found = copied(source, target)

    assert records(target) == records(source)
    assert target.topics() == source.topics()
    assert [each.topic for each in found.topics] == list(source.topics())


def test_the_same_copy_again_adds_what_is_new(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.append([*numbered(1200), Draft("probes", b"no id")])
    told: list[int] = []
    copied(source, target, progress=told.append)
    before = records(target)

    again = copied(source, target)
    source.append([event(b"later")])
    later = copied(source, target)

    assert (sum(told), max(told)) == (2 * 1201, 500)
    assert (counts(again), again.beyond) == ((1201, 0, 1201, 0), 0)
    assert counts(later) == (1202, 1, 1201, 0)
    assert records(target)[:-1] == before


@pytest.mark.parametrize("done", [1, 500, 501, 1300, 1301, 2000, 2600])
def test_a_copy_that_was_stopped_is_completed(
    source: EmbeddedStore, target: EmbeddedStore, done: int
) -> None:
    source.append([*numbered(1299), Draft("probes", b"no id")])
    source.commit("lem", {("probes", 0): 7})
    with pytest.raises(Stop):
        copied(source, target, progress=stopping(done))
    there = target.end("probes", 0)
    assert target.groups() == []

    found = copied(source, target)

    assert bare(target) == bare(source)
    assert counts(found) == (1300, 1300 - there, there, 0)
    assert target.committed("lem") == {("probes", 0): 7}


def test_what_is_appended_meanwhile_is_left_and_told(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.append(numbered(3))

    def progress(_: int) -> None:
        source.append(numbered(4))
        source.commit("lem", {("probes", 0): 4})

    found = copied(source, target, progress=progress)

    assert (found.meanwhile, target.end("probes", 0)) == (1, 3)
    assert target.groups() == []
    assert counts(copied(source, target)) == (4, 1, 3, 0)


@pytest.mark.parametrize("headers", [(), ((EVENT_ID, b"ABC"),), ((EVENT_ID, b"g" * 32),)])
def test_a_record_without_an_id_is_given_one(
    source: EmbeddedStore, target: EmbeddedStore, headers: Headers
) -> None:
    source.append([Draft("probes", b"same", b"key", headers)] * 2)

    copied(source, target)
    copied(source, target)

    first, second = records(target)
    assert [first.headers[:-1], second.headers[:-1]] == [headers, headers]
    assert [r.offset for r in target.find(first.headers[-1][1].decode())] == [0]
    assert [r.offset for r in target.find(second.headers[-1][1].decode())] == [1]


def test_another_record_with_the_same_id_is_not_lost(
    source: EmbeddedStore, target: EmbeddedStore, tmp_path: Path
) -> None:
    again = event(b"b")._replace(event_id=None)
    source.append([event(b"a"), again, again._replace(topic="scores"), event(b"c", OTHER)])

    copied(source, target)
    copied(source, target)
    with closing(EmbeddedStore(tmp_path / "third.db")) as third:
        copied(target, third)
        assert records(third) == records(target)

    assert bare(target) == bare(source)
    assert [record.value for record in target.find(ID)] == [b"a"]


def test_large_records_are_not_all_in_memory(source: EmbeddedStore, target: EmbeddedStore) -> None:
    for number in range(20):
        source.append([event(bytes([number]) * 4_000_000, f"{number:032x}")])

    tracemalloc.start()
    copied(source, target)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert target.end("probes", 0) == 20
    assert peak < 20 * 4_000_000 / 2


def test_groups_go_on_where_they_were_but_where_they_work(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.append(numbered(6))
    source.append([event(b"0", f"{0:032x}")._replace(event_id=None)])  # stands twice
    source.commit("lem", {("probes", 0): 4, ("runs", 0): 0})
    for group in ("done", "working"):
        source.commit(group, {("probes", 0): 7})

    with target.held("working"):
        found = copied(source, target)

    assert (found.carried, found.kept) == (["done", "lem"], ["working"])
    assert counts(found) == (7, 6, 0, 1)
    assert target.committed("lem") == {("probes", 0): 4, ("runs", 0): 0}
    assert target.committed("done") == {("probes", 0): 6}
    assert target.committed("working") == {}


def test_what_only_the_target_has_is_counted_and_left_to_do(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.append(numbered(2))
    source.commit("lem", {("probes", 0): 2})
    target.declare("probes", 1)
    target.declare("elsewhere", 1)
    target.append([*numbered(1), event(b"own", OTHER), Draft("elsewhere", b"own")])

    found = copied(source, target)

    assert (counts(found), found.beyond) == ((2, 1, 1, 0), 2)
    assert target.committed("lem") == {("probes", 0): 1}


@pytest.mark.parametrize("change", ["value = x'00'", "key = null", "headers = x'90'"])
def test_an_altered_copy_is_told_by_its_place(
    source: EmbeddedStore, target: EmbeddedStore, change: str
) -> None:
    source.append(numbered(3))
    copied(source, target)
    source.commit("lem", {("probes", 0): 3})
    behind_its_back(target, f"update records set {change} where offset = 1")

    with pytest.raises(LogError, match=r"probes\[0\]@1 at .*target.db has the id of probes\[0\]@1"):
        copied(source, target)
    assert target.groups() == []


def test_what_the_target_did_not_take_as_it_was_sent_is_told(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.append(numbered(3))
    damage = "update records set value = x'00' where seq = new.seq"
    when = "after insert on records when new.offset = 2"
    behind_its_back(target, f"create trigger damaged {when} begin {damage}; end")

    with pytest.raises(LogError, match=r"probes\[0\]@2 at .*but not its content"):
        copied(source, target)


logged = st.tuples(st.integers(0, 2), st.sampled_from([b"a", b"b"]), st.none() | st.integers(0, 3))


@examples(max_examples=80, deadline=None)
@given(found=st.lists(logged, max_size=15), count=st.integers(1, 4), done=st.integers(1, 30))
def test_any_log_arrives_whole_and_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[tuple[int, bytes, int | None]],
    count: int,
    done: int,
) -> None:
    """Three partitions become so many; the copy is stopped once, and then completed twice."""
    folder = tmp_path_factory.mktemp("any")
    source, target = EmbeddedStore(folder / "source.db"), EmbeddedStore(folder / "target.db")
    with closing(source), closing(target):
        source.declare("probes", 3)
        target.declare("probes", count)
        for at, (partition, value, number) in enumerate(found, 1_000):
            headers = () if number is None else ((EVENT_ID, b"%032x" % number),)
            source.append([Draft("probes", value, value, headers, None, partition, at)])
        with suppress(Stop):
            copied(source, target, progress=stopping(done))
        copied(source, target)
        copied(source, target)

        expected: dict[int, list[tuple[int, bytes]]] = {partition: [] for partition in range(count)}
        for at, partition, value in expected_of(found, keeps=count == 3):
            to = partition if count == 3 else target.partition_of("probes", value)
            expected[to].append((at, value))
        there = {p: target.scan("probes", p) for p in range(count)}
        assert {p: [(r.at_ms, r.value) for r in found] for p, found in there.items()} == expected


def expected_of(
    found: list[tuple[int, bytes, int | None]], *, keeps: bool
) -> Iterator[tuple[int, int, bytes]]:
    """What is copied, in the order of the copy: of equal events, the first."""
    first: dict[int | None, bytes] = {}
    timed = [(at, *each) for at, each in enumerate(found, 1_000)]
    for at, partition, value, number in sorted(timed, key=lambda r: r[1] if keeps else 0):
        is_first = number not in first
        if number is None or is_first or first[number] != value:
            yield at, partition, value
        if is_first:
            first[number] = value
