"""The shape of every event type, and what becomes of its values."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from schemas import Buried, Decided, Generated, Materialized, Scored
from schemas.base import Fact
from streams import columns
from streams.envelope import draft
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests import events

KINDS = [topic.event for topic in TOPICS.values()]
GENERATION = events.generated()
SCORE = events.scored(GENERATION)
GATE = events.decided(SCORE, "rejected", rule="threshold")
EXAMPLES: list[Fact] = [
    events.probed(),
    events.started(),
    events.started(kernel=None),
    events.requested(),
    GENERATION,
    SCORE,
    GATE,
    events.deduped(GATE, GENERATION),
    events.reviewed(GATE),
    events.materialized(GENERATION),
    events.buried(),
]
HALF_A_CHARACTER = (draft(events.probed(prompt="X")).value or b"").replace(b'"X"', b'"\\ud800"')


def rows(store: EmbeddedStore, event: Fact) -> list[dict[str, Any]]:
    """The event, appended and read back as columns."""
    (place,) = store.append([draft(event)])
    read = columns.read(store, place.topic, 0, place.offset, place.offset + 1)
    found: list[dict[str, Any]] = pa.Table.from_batches(read.batches).to_pylist()
    return found


def plain(value: Any) -> Any:
    """A value as Arrow gives it back: structs as dicts, tuples as lists, maps as pairs."""
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_of_an_event_type_is_a_column(kind: type[Fact]) -> None:
    names = columns.schema(kind).names

    assert names[:3] == ["partition", "offset", "logged_at"]
    assert len(set(names)) == len(names) == 3 + len(kind.__struct_fields__)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_every_value_of_an_event_comes_back(store: EmbeddedStore, event: Fact) -> None:
    (row,) = rows(store, event)
    own = list(row.values())[3:]

    assert own == [plain(getattr(event, name)) for name in event.__struct_fields__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_topic_without_a_record_has_the_same_columns(kind: type[Fact]) -> None:
    assert columns.batch(kind, [], []).schema == columns.schema(kind)


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        (Scored, "score", "double not null"),
        (Scored, "signals", "map<string, double> not null"),
        (Scored, "at", "timestamp[us, tz=UTC] not null"),
        (Scored, "run", "string"),
        (Decided, "verdict", "string not null"),
        (Generated, "seed", "int64"),
        (Buried, "value", "binary not null"),
        (Materialized, "generations", "list<item: string not null> not null"),
    ],
)
def test_a_column_has_the_type_of_its_field(kind: type[Fact], name: str, said: str) -> None:
    assert str(columns.schema(kind).field(name)) == f"pyarrow.Field<{name}: {said}>"


def test_a_field_named_like_a_column_of_the_log_is_told_apart() -> None:
    """A burial stands at an offset of its own, and names that of what was buried."""
    names = columns.schema(Buried).names

    assert {"partition", "offset", "buried_partition", "buried_offset"} <= set(names)


def test_a_record_says_where_and_when_it_was_logged(store: EmbeddedStore) -> None:
    store.append([Draft("probes", draft(events.probed()).value, at_ms=1_767_323_045_678)])

    (row,) = pa.Table.from_batches(columns.read(store, "probes", 0, 0, 1).batches).to_pylist()

    assert (row["partition"], row["offset"]) == (0, 0)
    assert row["logged_at"] == datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"{", "not JSON"),
        (None, "not JSON"),
        (b'{"type": "probd"}', "probd"),
        (draft(events.started()).value, 'is a "started"'),
        (draft(events.probed(schema=2)).value, "newer"),
        (HALF_A_CHARACTER, "surrogate"),
        (draft(events.probed(schema=2**70)).value, ""),
    ],
)
def test_a_record_that_is_no_event_is_left_out_and_told(
    store: EmbeddedStore, value: bytes | None, said: str
) -> None:
    good = draft(events.probed())
    store.append([good, Draft("probes", value), good._replace(event_id=None)])

    found = columns.read(store, "probes", 0, 0, 3)
    (bad,) = found.unreadable

    assert [row["offset"] for row in pa.Table.from_batches(found.batches).to_pylist()] == [0, 2]
    assert (bad.topic, bad.partition, bad.offset) == ("probes", 0, 1)
    assert said in bad.error


def test_a_number_too_large_for_its_column_leaves_its_record_out(store: EmbeddedStore) -> None:
    """The codec takes integers of any size; a column holds 64 bits."""
    events.put(store, events.generated(prompt_tokens=2**63), events.buried())

    found = columns.read(store, "generations", 0, 0, 1)

    assert [bad.offset for bad in found.unreadable] == [0]
    assert [batch.num_rows for batch in found.batches] == [0]


def test_more_records_than_a_batch_come_in_their_order(store: EmbeddedStore) -> None:
    asked = [events.probed(f"P{number}") for number in range(600)]
    events.put(store, *asked)

    found = pa.Table.from_batches(columns.read(store, "probes", 0, 3, 600).batches).to_pylist()

    assert [row["probe"] for row in found] == [event.probe for event in asked[3:]]
