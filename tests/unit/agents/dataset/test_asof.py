"""How much of the log is meant: by a time, by offsets, by the beginning of a dataset's id."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.dataset.asof import dataset, ends_of, manifest_of
from schemas import Materialized
from streams.errors import ConfigError
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from tests.events import materialized, put
from tests.made import answered, fill, phase, store_in

HOUR_MS = 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with store_in(tmp_path) as found:
        yield found


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_a_time_without_a_zone_is_utc_on_every_machine(store: EmbeddedStore) -> None:
    for hour in range(24):
        store.append([Draft("probes", b"{}", at_ms=1_767_225_600_000 + hour * HOUR_MS)])

    for said in ("2026-01-01T12:00", "2026-01-01T12:00+00:00", "2026-01-01T14:00+02:00"):
        assert ends_of(store, said)["probes", 0] == 12


def test_offsets_that_leave_out_a_topic_with_records_are_refused(store: EmbeddedStore) -> None:
    fill(store, [answered(phase(), "P1")])

    with pytest.raises(ConfigError, match="Name every topic") as refused:
        ends_of(store, "decisions:0=1")

    listed = str(refused.value).rsplit(" ", 1)[1]
    assert "\n" not in str(refused.value)
    ends = ends_of(store, listed)
    assert ends["decisions", 0] == 1
    fill(store, [answered(phase(), "P2")])
    assert ends_of(store, listed) == ends


def test_topics_that_had_nothing_need_no_offset_until_they_have(store: EmbeddedStore) -> None:
    put(store, *answered(phase(), "P1")[:1])

    assert set(ends_of(store, "probes:0=1").values()) == {0, 1}
    put(store, *answered(phase(), "P1")[1:2])
    with pytest.raises(ConfigError, match="requests:0 has records"):
        ends_of(store, "probes:0=1")


def test_a_day_in_digits_is_a_time_and_no_id(store: EmbeddedStore) -> None:
    assert manifest_of(store, "20260131") is None
    assert ends_of(store, "20260131")["probes", 0] == 0
    for said in ("20261331", "20260131a"):  # no thirteenth month, no day
        with pytest.raises(ConfigError, match="No datasets"):
            manifest_of(store, said)


def of_other_topics(digits: str) -> list[Draft]:
    """More events whose id begins so than any search by id gives."""
    return [
        Draft("probes", b"{}", event_id=f"{digits}{number:028x}")  # before the dataset's id
        for number in range(20)
    ]


def test_a_dataset_is_found_by_four_digits_among_many_other_events(store: EmbeddedStore) -> None:
    made = materialized()
    put(store, made)
    store.append(of_other_topics(made.id[:4]))

    found = dataset(store, made.id[:4])

    assert isinstance(found, Materialized)
    assert found.id == made.id
