"""Reading a topic as one stream: where it starts, in which order it goes on, how it ends."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from streams.errors import ConfigError
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.reading import follow

MINUTE_MS = 60_000
AT_MS = 1_767_322_800_000  # 2026-01-02T03:00:00Z


def fill(store: EmbeddedStore, count: int, *, partition: int = 0, after_ms: int = 0) -> None:
    """Records a minute apart, the last one `after_ms` behind that of another partition."""
    store.append(
        [
            Draft(
                "probes",
                b"%d/%d" % (partition, number),
                partition=partition,
                at_ms=AT_MS + number * MINUTE_MS + after_ms,
            )
            for number in range(count)
        ]
    )


def values(store: EmbeddedStore, start: str, **more: Any) -> list[bytes | None]:
    return [record.value for record in follow(store, "probes", start=start, wait=False, **more)]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A topic of two partitions; their records take turns in time."""
    store = EmbeddedStore(tmp_path / "two.db")
    store.declare("probes", 2)
    fill(store, 3)
    fill(store, 3, partition=1, after_ms=1)
    yield store
    store.close()


def test_partitions_are_merged_by_the_time_of_logging(two: EmbeddedStore) -> None:
    assert values(two, "start") == [b"0/0", b"1/0", b"0/1", b"1/1", b"0/2", b"1/2"]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("end", []),
        ("-0", []),
        ("-1", [b"1/2"]),
        ("-3", [b"1/1", b"0/2", b"1/2"]),
        ("-100", [b"0/0", b"1/0", b"0/1", b"1/1", b"0/2", b"1/2"]),
        ("@2026-01-02T03:02:00Z", [b"0/2", b"1/2"]),
        ("@2026-01-02T04:02:00+01:00", [b"0/2", b"1/2"]),
        ("@2000-01-01", [b"0/0", b"1/0", b"0/1", b"1/1", b"0/2", b"1/2"]),
        ("@2999-01-01", []),
    ],
)
def test_reading_starts_where_it_is_told(
    two: EmbeddedStore, start: str, expected: list[bytes]
) -> None:
    assert values(two, start) == expected


@pytest.mark.parametrize(("start", "expected"), [("@-90m", [b"new"]), ("@-3h", [b"old", b"new"])])
def test_a_start_may_be_so_long_ago(
    store: EmbeddedStore, start: str, expected: list[bytes]
) -> None:
    now_ms = time.time_ns() // 1_000_000
    store.append([Draft("probes", b"old", at_ms=now_ms - 120 * MINUTE_MS)])
    store.append([Draft("probes", b"new", at_ms=now_ms - 60 * MINUTE_MS)])

    assert values(store, start) == expected


@pytest.mark.parametrize(
    "start",
    ["", "-", "-x", "5", "@", "@noon", "@-5w", "@2026-13-01", "@-99999999999999d", "@0001-01-01"],
)
def test_a_start_that_means_nothing_is_refused(store: EmbeddedStore, start: str) -> None:
    with pytest.raises(ConfigError, match="write start, end, -10 for the last ten"):
        values(store, start)


def test_the_last_ones_are_the_last_that_are_kept(two: EmbeddedStore) -> None:
    kept = values(two, "-2", keep=lambda record: record.partition == 0)

    assert kept == [b"0/1", b"0/2"]


def test_the_last_ones_are_found_far_back(store: EmbeddedStore) -> None:
    fill(store, 1200)

    found = values(store, "-1", keep=lambda record: record.offset <= 7)

    assert found == [b"0/7"]


def test_reading_ends_at_its_limit(two: EmbeddedStore) -> None:
    assert values(two, "start", limit=2) == [b"0/0", b"1/0"]


def test_following_yields_what_another_connection_appends(store: EmbeddedStore) -> None:
    """Each record is appended only when the one before it was read."""
    other = EmbeddedStore(store.path)
    fill(other, 1)
    found: list[bytes | None] = []

    for record in follow(store, "probes", limit=4):
        found.append(record.value)
        other.append([Draft("probes", b"after %d" % record.offset)])

    other.close()
    assert found == [b"0/0", b"after 0", b"after 1", b"after 2"]


def test_following_from_the_end_leaves_out_what_was_there(store: EmbeddedStore) -> None:
    other = EmbeddedStore(store.path)
    fill(other, 3)
    reading = follow(store, "probes", start="-1")
    first = next(reading)
    other.append([Draft("probes", b"new")])

    assert [first.value, *(each.value for each in islice(reading, 1))] == [b"0/2", b"new"]
    other.close()
