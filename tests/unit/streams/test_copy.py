"""A log copied to another file: what arrives, what is left out, and what is refused."""

import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from streams.copy import Copied, copied
from streams.errors import LogError
from streams.log.door import Store
from streams.log.records import EVENT_ID, Draft, Record
from streams.log.store import EmbeddedStore
from tests.events import World, probed, put

Opening = Callable[[str], EmbeddedStore]
Content = tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]

ID = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    """Opens one more connection to the log of this name."""
    opened: list[EmbeddedStore] = []

    def connection(name: str) -> EmbeddedStore:
        opened.append(EmbeddedStore(tmp_path / f"{name}.db"))
        return opened[-1]

    yield connection
    for each in opened:
        each.close()


@pytest.fixture
def source(opening: Opening) -> EmbeddedStore:
    return opening("source")


@pytest.fixture
def target(opening: Opening) -> EmbeddedStore:
    return opening("target")


def event(value: bytes, event_id: str = ID, **more: object) -> Draft:
    """A record with an id, as the envelope writes it."""
    headers = ((EVENT_ID, event_id.encode()), ("lem-type", b"test"))
    return Draft("probes", value, b"key", headers, event_id)._replace(**more)


def numbered(count: int, **more: object) -> list[Draft]:
    return [event(b"%d" % n, f"{n:032x}", **more) for n in range(count)]


def records(log: Store) -> list[Record]:
    """All of a log, topic by topic."""
    spots = sorted(log.ends())
    return [record for topic, partition in spots for record in log.scan(topic, partition)]


def bare(log: Store) -> list[Content]:
    """What the records say, without the ids that a copy gave them."""
    found = []
    for record in records(log):
        headers = tuple(each for each in record.headers if each[0] != EVENT_ID)
        found.append((record.topic, record.key, record.value, headers))
    return found


def counts(found: Copied, topic: str = "probes") -> tuple[int, int, int, int]:
    """Records at the source, copied now, there already, repeated."""
    (count,) = (each for each in found.topics if each.topic == topic)
    return count.records, count.copied, count.there, count.repeated


def behind_its_back(store: EmbeddedStore, statement: str) -> None:
    """Change the file as nobody may: the trigger is dropped first."""
    with sqlite3.connect(store.path) as db:
        db.execute("drop trigger records_are_not_updated")
        db.execute(statement)
    db.close()


class Stop(Exception):
    """The end of a copy in its middle."""


def stopping(after: int) -> Callable[[int], None]:
    """A progress that stops the copy when so much is done."""
    left = [after]

    def progress(count: int) -> None:
        left[0] -= count
        if left[0] <= 0:
            raise Stop

    return progress


def test_every_record_arrives_as_it_was(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.declare("scores", 4)
    source.declare("probes", 1)
    source.declare("runs", 1)
    source.append([event(b"\x00\xff", key=None, at_ms=1_700_000_000_000)])
    source.append([event(b"", OTHER, topic="scores", key=b"\xff", partition=2, at_ms=1_000)])

    found = copied(source, target)

    assert records(target) == records(source)
    assert target.topics() == source.topics()
    assert [each.topic for each in found.topics] == ["scores", "probes", "runs"]
    assert [counts(found, topic) for topic in ("scores", "probes", "runs")] == [
        (1, 1, 0, 0),
        (1, 1, 0, 0),
        (0, 0, 0, 0),
    ]


def test_a_log_with_every_event_is_copied(store: EmbeddedStore, target: EmbeddedStore) -> None:
    put(store, *World().events)

    copied(store, target)

    assert records(target) == records(store)


def test_the_same_copy_again_adds_nothing(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.declare("probes", 1)
    source.append([*numbered(1200), Draft("probes", b"no id")])
    copied(source, target)
    before = records(target)

    found = copied(source, target)

    assert records(target) == before
    assert counts(found) == (1201, 0, 1201, 0)
    assert found.beyond == 0


def test_what_came_later_is_copied_later(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.declare("probes", 1)
    source.append(numbered(3))
    copied(source, target)
    source.append(numbered(5))

    assert counts(copied(source, target)) == (5, 2, 3, 0)
    assert records(target) == records(source)


@pytest.mark.parametrize("done", [1, 500, 501, 1300, 2000, 2599])
def test_a_copy_that_was_stopped_is_completed(
    source: EmbeddedStore, target: EmbeddedStore, done: int
) -> None:
    source.declare("probes", 1)
    source.append([*numbered(1299), Draft("probes", b"no id")])
    source.commit("lem", {("probes", 0): 7})
    with pytest.raises(Stop):
        copied(source, target, progress=stopping(done))
    assert target.groups() == []

    found = copied(source, target)

    assert [r.value for r in records(target)] == [r.value for r in records(source)]
    assert counts(found)[0] == counts(found)[1] + counts(found)[2] == 1300
    assert target.committed("lem") == {("probes", 0): 7}


def test_progress_tells_all_there_is_to_do(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.declare("probes", 1)
    source.append(numbered(1200))
    first: list[int] = []
    again: list[int] = []

    copied(source, target, progress=first.append)
    copied(source, target, progress=again.append)

    assert (sum(first), sum(again)) == (2 * 1200, 1200 + 2 * 1200)
    assert len(first) > 4


def test_what_is_appended_meanwhile_is_left_and_told(
    source: EmbeddedStore, target: EmbeddedStore, opening: Opening
) -> None:
    source.declare("probes", 1)
    source.append(numbered(3))
    other = opening("source")

    found = copied(source, target, progress=lambda _: _drop(other.append(numbered(4))))

    assert (found.meanwhile, target.end("probes", 0)) == (1, 3)
    assert counts(copied(source, target)) == (4, 1, 3, 0)


def _drop(_: object) -> None:
    """Take what is of no use."""


@pytest.mark.parametrize("headers", [(), ((EVENT_ID, b"ABC"),), ((EVENT_ID, ID[:-1].encode()),)])
def test_a_record_without_an_id_of_its_own_is_given_one(
    source: EmbeddedStore, target: EmbeddedStore, headers: tuple[tuple[str, bytes], ...]
) -> None:
    source.declare("probes", 1)
    source.append([Draft("probes", b"same", b"key", headers)] * 2)

    copied(source, target)
    found = copied(source, target)

    first, second = records(target)
    assert counts(found) == (2, 0, 2, 0)
    assert [first.headers[:-1], second.headers[:-1]] == [headers, headers]
    assert first.headers[-1] != second.headers[-1]
    assert [r.offset for r in target.find(first.headers[-1][1].decode())] == [0]


def test_an_event_that_stands_twice_is_copied_once(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 1)
    source.append([event(b"a"), event(b"a", event_id=None), event(b"b", OTHER)])

    first, again = copied(source, target), copied(source, target)

    assert [record.value for record in records(target)] == [b"a", b"b"]
    assert (counts(first), counts(again)) == ((3, 2, 0, 1), (3, 0, 2, 1))


def test_another_record_with_the_same_id_is_not_lost(
    source: EmbeddedStore, target: EmbeddedStore, opening: Opening
) -> None:
    source.declare("probes", 1)
    source.declare("scores", 1)
    no_id = event(b"b")._replace(event_id=None)
    source.append([event(b"a"), no_id, no_id._replace(topic="scores"), event(b"c", OTHER)])

    copied(source, target)
    copied(source, target)
    copied(target, opening("third"))

    assert bare(target) == bare(source)
    assert records(opening("third")) == records(target)
    assert [record.value for record in target.find(ID)] == [b"a"]


def test_no_key_no_value_and_the_first_millisecond_are_kept(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 1)
    source.append([event(b"", value=None, key=None, at_ms=-1), event(b"", OTHER, at_ms=5)])

    copied(source, target)

    assert records(target) == records(source)
    assert records(target)[0].at_ms == 0


def test_large_records_are_not_all_in_memory(source: EmbeddedStore, target: EmbeddedStore) -> None:
    size, count = 4_000_000, 20
    source.declare("probes", 1)
    source.append(numbered(200))
    for number in range(count):
        source.append([event(bytes([number]) * size, f"{number + 1000:032x}")])

    tracemalloc.start()
    copied(source, target)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert target.end("probes", 0) == 200 + count
    assert peak < size * count / 2


def test_records_go_by_their_keys_where_the_partitions_differ(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 4)
    target.declare("probes", 3)
    for number in range(200):
        draft = event(b"%d" % number, f"{number:032x}", key=b"%d" % (number % 7))
        source.append([draft._replace(partition=number % 4, at_ms=1_000 + number)])

    copied(source, target)

    found = records(target)
    assert {r.at_ms - 1_000: r.value for r in found} == {n: b"%d" % n for n in range(200)}
    assert all(r.partition == target.partition_of("probes", r.key) for r in found)
    assert {r.partition for r in found} == {0, 1, 2}


def test_a_topic_that_must_be_whole_is_made_so(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("decisions", 3)
    source.declare("elsewhere", 3)

    copied(source, target)

    assert target.topics() == {"decisions": 1, "elsewhere": 3}


def test_a_group_goes_on_where_it_was(source: EmbeddedStore, target: EmbeddedStore) -> None:
    source.declare("probes", 2)
    source.declare("runs", 1)
    source.append(numbered(6, partition=1))
    source.commit("lem", {("probes", 1): 4})
    source.commit("done", {("probes", 0): 0, ("probes", 1): 6, ("runs", 0): 0})

    found = copied(source, target)

    assert found.carried == ["done", "lem"]
    assert target.committed("lem") == {("probes", 0): 0, ("probes", 1): 4}
    assert target.committed("done") == source.committed("done")


def test_a_group_begins_at_the_first_record_that_is_left_in_each_partition(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 2)
    target.declare("probes", 1)
    source.append(
        [d._replace(partition=n % 2, at_ms=1_000 + n) for n, d in enumerate(numbered(10))]
    )
    source.commit("lem", {("probes", 0): 5, ("probes", 1): 2})

    copied(source, target)

    assert target.committed("lem") == {("probes", 0): 5}


def test_an_event_that_stands_twice_is_done_with_its_first(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 1)
    source.append([event(b"a"), event(b"b", OTHER), event(b"a", event_id=None)])
    source.commit("lem", {("probes", 0): 1})

    copied(source, target)

    assert target.committed("lem") == {("probes", 0): 1}


def test_what_only_the_target_has_is_counted_and_left_to_the_group(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 1)
    source.append(numbered(2))
    source.commit("lem", {("probes", 0): 2})
    target.declare("probes", 1)
    target.declare("runs", 1)
    target.append([event(b"own", OTHER), Draft("runs", b"own")])

    found = copied(source, target)

    assert found.beyond == 2
    assert target.committed("lem") == {("probes", 0): 0}


def test_a_group_with_a_place_of_its_own_keeps_it(
    source: EmbeddedStore, target: EmbeddedStore, opening: Opening
) -> None:
    source.declare("probes", 1)
    source.append(numbered(3))
    for group in ("one", "two"):
        source.commit(group, {("probes", 0): 3})
    target.declare("probes", 1)
    target.commit("one", {("probes", 0): 0})

    with opening("target").held("two"):
        found = copied(source, target)

    assert (found.carried, found.kept) == ([], ["one", "two"])
    assert (target.committed("one"), target.committed("two")) == ({("probes", 0): 0}, {})


@pytest.mark.parametrize(
    "change", ["value = x'00'", "key = null", "headers = x'90'", "value = null"]
)
def test_an_altered_copy_is_told_by_its_place(
    source: EmbeddedStore, target: EmbeddedStore, change: str
) -> None:
    source.declare("probes", 1)
    source.append(numbered(3))
    copied(source, target)
    behind_its_back(target, f"update records set {change} where offset = 1")
    source.commit("lem", {("probes", 0): 3})

    with pytest.raises(LogError, match=r"probes\[0\]@1 at .*target.db has the id of probes\[0\]@1"):
        copied(source, target)
    assert target.groups() == []


def test_what_is_written_otherwise_than_it_was_sent_is_told(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    source.declare("probes", 1)
    source.append(numbered(3))
    target.declare("probes", 1)
    behind_its_back(
        target,
        "create trigger damage after insert on records when new.offset = 2 begin"
        " update records set value = x'00' where seq = new.seq; end",
    )

    with pytest.raises(LogError, match=r"probes\[0\]@2 at .*but not its content"):
        copied(source, target)


def test_two_logs_with_histories_of_their_own_are_told_before_much_is_copied(
    source: EmbeddedStore, target: EmbeddedStore
) -> None:
    for log, prompt in ((source, "Here?"), (target, "There?")):
        log.declare("probes", 1)
        put(
            log,
            probed(prompt=prompt)._replace() if False else probed(prompt="Same?", domain=prompt),
        )
    source.declare("runs", 1)
    source.append([Draft("runs", b"after")])

    with pytest.raises(LogError, match="history of its own"):
        copied(source, target)
    assert target.end("runs", 0) == 0


drafts = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([b"a", b"b"]), st.none() | st.integers(0, 4)),
    max_size=15,
)


@examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=drafts, partitions=st.integers(1, 4), before=st.integers(0, 15))
def test_any_log_is_copied_whole_and_in_order(
    opening: Opening,
    found: list[tuple[int, bytes, int | None]],
    partitions: int,
    before: int,
) -> None: ...
