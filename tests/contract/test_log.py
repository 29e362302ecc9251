"""What every log promises, held against the one in a file and the one on a broker."""

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.config import Settings
from streams.connect import connected
from streams.errors import LogError
from streams.log.door import Store
from streams.log.records import Draft

Opening = Callable[[], Store]
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture(params=["embedded", "kafka"])
def opening(request: pytest.FixtureRequest, tmp_path: Path, prefix: str) -> Iterator[Opening]:
    """Opens one more connection to the log of this test."""
    broker = "" if request.param == "embedded" else request.getfixturevalue("kafka").url
    found = Settings(home=str(tmp_path), broker=broker, topic_prefix=prefix)
    opened: list[Store] = []

    def connection() -> Store:
        opened.append(connected(found))
        return opened[-1]

    yield connection
    for each in opened:
        each.close()


@pytest.fixture
def log(opening: Opening) -> Store:
    log = opening()
    log.declare("probes", 1)
    log.declare("scores", 4)
    return log


def values(log: Store, topic: str, partition: int = 0, offset: int = 0) -> list[bytes | None]:
    return [record.value for record in log.scan(topic, partition, offset=offset)]


def test_an_empty_topic_ends_at_zero_and_reads_nothing(log: Store) -> None:
    assert log.end("probes", 0) == 0
    assert log.read("probes", 0) == []


def test_declaring_twice_keeps_the_partitions_of_the_first_time(log: Store) -> None:
    assert log.declare("scores", 9) == 4
    assert log.topics() == {"probes": 1, "scores": 4}


def test_offsets_count_from_zero_without_a_gap(log: Store) -> None:
    places = log.append([Draft("probes", b"a"), Draft("probes", b"b")])
    places += log.append([Draft("probes", b"c")])
    assert [(place.offset, place.is_new) for place in places] == [(0, True), (1, True), (2, True)]
    assert values(log, "probes") == [b"a", b"b", b"c"]


def test_a_record_comes_back_as_it_was(log: Store) -> None:
    headers = (("lem-type", b"probed"), ("raw", b"\x00\xff"))
    log.append([Draft("probes", b"\x00value", b"key\xff", headers, at_ms=1_700_000_000_000)])

    (record,) = log.read("probes", 0)

    assert (record.topic, record.partition, record.offset) == ("probes", 0, 0)
    assert (record.key, record.value) == (b"key\xff", b"\x00value")
    assert (record.headers, record.at_ms) == (headers, 1_700_000_000_000)


def test_a_record_may_have_no_key_or_no_value_and_no_headers(log: Store) -> None:
    log.append([Draft("probes", None, b"key"), Draft("probes", b"value")])

    found = [(record.key, record.value, record.headers) for record in log.read("probes", 0)]

    assert found == [(b"key", None, ()), (None, b"value", ())]


def test_a_large_record_comes_back_whole(log: Store) -> None:
    large = bytes(range(256)) * 20_000
    log.append([Draft("probes", large)])

    assert values(log, "probes") == [large]


def test_reading_starts_at_the_offset_and_stops_at_the_limit(log: Store) -> None:
    log.append([Draft("probes", b"%d" % n) for n in range(10)])

    assert [r.offset for r in log.read("probes", 0, offset=3, limit=4)] == [3, 4, 5, 6]
    assert log.read("probes", 0, offset=10) == []


@pytest.mark.parametrize(("offset", "limit"), [(0, 5), (0, 1000), (7, 300), (499, 2), (600, 9)])
def test_values_are_those_of_the_records(log: Store, offset: int, limit: int) -> None:
    for start in range(0, 600, 100):  # batches that the limits cut through
        log.append([Draft("probes", b"%d" % n) for n in range(start, start + 100)])
    read = log.read("probes", 0, offset=offset, limit=limit)
    found = list(log.values("probes", 0, offset=offset, limit=limit))
    assert found == [(r.offset, r.at_ms, r.value) for r in read]


def test_values_go_on_after_an_interruption_and_a_further_append(log: Store) -> None:
    log.append([Draft("probes", b"%d" % n) for n in range(300)])
    begun = iter(log.values("probes", 0, limit=300))
    found = [next(begun)]
    log.read("probes", 0, offset=200, limit=1)
    found += begun
    log.append([Draft("probes", b"300")])
    assert [value for _, _, value in found] == [b"%d" % n for n in range(300)]
    assert [value for _, _, value in log.values("probes", 0, offset=300, limit=5)] == [b"300"]


def test_equal_keys_share_a_partition_and_others_spread(log: Store) -> None:
    places = log.append([Draft("scores", b"", b"key-%d" % (n % 20)) for n in range(200)])

    by_key = {n: {place.partition for place in places[n::20]} for n in range(20)}
    assert all(len(partitions) == 1 for partitions in by_key.values())
    assert set.union(*by_key.values()) == {0, 1, 2, 3}


def test_a_partition_may_be_named(log: Store) -> None:
    (place,) = log.append([Draft("scores", b"", b"key", partition=2)])

    assert (place.partition, place.offset) == (2, 0)
    assert log.ends()["scores", 2] == 1


def test_logged_times_never_go_back_within_a_partition(log: Store) -> None:
    log.append([Draft("probes", b"", at_ms=2_000), Draft("probes", b"", at_ms=1_000)])
    log.append([Draft("probes", b"", at_ms=1_500), Draft("probes", b"", at_ms=3_000)])

    assert [record.at_ms for record in log.scan("probes", 0)] == [2_000, 2_000, 2_000, 3_000]


def test_the_first_offset_at_a_time_is_found(log: Store) -> None:
    log.append([Draft("probes", b"", at_ms=at) for at in (1_000, 2_000, 2_000, 5_000)])

    found = [log.offset_at("probes", 0, at) for at in (0, 1_000, 1_001, 2_000, 5_001)]
    assert found == [0, 0, 1, 1, 4]


def test_an_event_that_is_there_is_not_appended_again(log: Store, opening: Opening) -> None:
    (first,) = log.append([Draft("probes", b"a", event_id=ID)])
    other = opening()

    (again,) = other.append([Draft("probes", b"b", event_id=ID)])

    assert again == first._replace(is_new=False)
    assert values(log, "probes") == [b"a"]


def test_an_event_that_stands_twice_in_one_batch_is_appended_once(log: Store) -> None:
    places = log.append([Draft("probes", b"a", event_id=ID)] * 2 + [Draft("probes", b"z")])

    assert [(place.offset, place.is_new) for place in places] == [(0, True), (0, False), (1, True)]


def test_records_without_an_event_id_may_be_equal(log: Store) -> None:
    log.append([Draft("probes", b"a"), Draft("probes", b"a")])

    assert values(log, "probes") == [b"a", b"a"]


def test_events_are_found_by_their_id_and_by_its_beginning(log: Store) -> None:
    other = "0123ffff" * 4
    log.append([Draft("probes", b"a", event_id=ID), Draft("scores", b"b", event_id=other)])

    assert [record.value for record in log.find(ID)] == [b"a"]
    assert [record.value for record in log.find("0123")] == [b"a", b"b"]
    assert [record.value for record in log.find("0123f")] == [b"b"]
    assert log.known([ID, "f" * 32]) == {ID}


def test_offsets_are_committed_for_each_group(log: Store, opening: Opening) -> None:
    log.commit("one", {("probes", 0): 3, ("scores", 2): 1})
    log.commit("one", {("probes", 0): 5})
    log.commit("two", {("probes", 0): 1})

    assert opening().committed("one") == {("probes", 0): 5, ("scores", 2): 1}
    assert log.committed("two") == {("probes", 0): 1}
    assert log.committed("three") == {}
    assert log.groups() == ["one", "two"]


@pytest.mark.parametrize("bad", [Draft("nowhere", b"c"), Draft("scores", b"c", partition=4)])
def test_what_can_not_be_appended_keeps_the_rest_of_its_call_away(log: Store, bad: Draft) -> None:
    with pytest.raises(LogError):
        log.append([Draft("probes", b"b"), bad])

    assert values(log, "probes") == []


def test_an_unknown_topic_is_told_with_those_there_are(log: Store) -> None:
    with pytest.raises(LogError, match=r'no topic "probe"; there are: probes, scores\.'):
        log.read("probe", 0)


def test_waiting_ends_when_another_connection_appends(log: Store, opening: Opening) -> None:
    reader = opening()
    log.append([Draft("probes", b"a")])
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(reader.wait, {("probes", 0): 1, ("scores", 2): 0}, 60)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        log.append([Draft("scores", b"b", partition=2)])
        waiting.result(timeout=30)

    assert values(reader, "scores", 2) == [b"b"]
    assert values(reader, "probes") == [b"a"]


def test_waiting_for_what_is_there_ends_at_once_and_takes_nothing_away(log: Store) -> None:
    log.append([Draft("probes", b"%d" % n) for n in range(5)])

    log.wait({("probes", 0): 2}, 60)

    assert values(log, "probes", offset=2) == [b"2", b"3", b"4"]
    assert values(log, "probes") == [b"0", b"1", b"2", b"3", b"4"]


def test_waiting_in_vain_ends(log: Store) -> None:
    log.wait({("probes", 0): 0}, 0.05)

    assert log.end("probes", 0) == 0


def test_what_was_appended_is_there_after_opening_again(log: Store, opening: Opening) -> None:
    log.append([Draft("probes", b"a", event_id=ID)])
    log.commit("g", {("probes", 0): 1})
    log.close()

    again = opening()

    assert values(again, "probes") == [b"a"]
    assert again.committed("g") == {("probes", 0): 1}
    assert again.check() == []


def test_time_of_append_is_now_where_none_is_given(log: Store) -> None:
    before = time.time_ns() // 1_000_000
    log.append([Draft("probes", b"a")])

    assert before <= log.read("probes", 0)[0].at_ms <= time.time_ns() // 1_000_000


drafts = st.lists(
    st.tuples(st.integers(0, 2), st.binary(max_size=8), st.none() | st.integers(0, 9)), max_size=12
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.tuples(st.booleans(), drafts), max_size=8))
def test_any_interleaving_of_two_writers_reads_like_one_list(
    opening: Opening,
    batches: list[tuple[bool, list[tuple[int, bytes, int | None]]]],
) -> None:
    topic = uuid.uuid4().hex  # and ids of its own, for each example
    writers = _two(opening)
    writers[0].declare(topic, 3)
    expected: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
    seen: set[int] = set()
    for second, batch in batches:
        for partition, value, number in batch:
            if number not in seen or number is None:
                expected[partition].append(value)
            if number is not None:
                seen.add(number)
        writers[second].append(
            [
                Draft(topic, value, partition=partition, event_id=_id(topic, n))
                for partition, value, n in batch
            ]
        )

    assert {partition: values(writers[0], topic, partition) for partition in range(3)} == expected


def _two(opening: Opening) -> tuple[Store, Store]:
    """Two connections, the same ones for every example of a test."""
    while len(_KEPT.setdefault(opening, [])) < 2:
        _KEPT[opening].append(opening())
    return _KEPT[opening][0], _KEPT[opening][1]


def _id(topic: str, number: int | None) -> str | None:
    return None if number is None else f"{topic[:24]}{number:08x}"


_KEPT: dict[Opening, list[Store]] = {}
