"""An event of an older schema is read as today's; the steps here are made up for the tests."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from schemas import Buried, Scored
from schemas.base import Fact
from schemas.codec import Unreadable, decode, encode
from schemas.upcast import STEPS, Fields

TODAY: dict[str, Any] = {
    "type": "scored",
    "id": "0" * 32,
    "at": "2026-01-02T03:04:05Z",
    "by": "lem/0@here",
    "generation": "g",
    "phase": "1",
    "scorer": "lek@2",
    "definition": "d",
    "score": 24.5,
    "signals": {},
}


def scored(**fields: Any) -> bytes:
    return msgspec.json.encode(TODAY | fields)


def scored_with_value(**fields: Any) -> bytes:
    """A score as version 1 of these tests wrote it: its field `score` was named `value`."""
    old = {name: value for name, value in TODAY.items() if name != "score"}
    return msgspec.json.encode(old | {"value": 24.5} | fields)


def scored_1_to_2(fields: Fields) -> Fields:
    fields["score"] = fields.pop("value")
    return fields


def scored_2_to_3(fields: Fields) -> Fields:
    return fields | {"score": fields["score"] * 2}


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's `Scored` is its second version, and a step leads to it."""
    monkeypatch.setattr(Scored, "current", 2)
    monkeypatch.setitem(STEPS, ("scored", 1), scored_1_to_2)


@pytest.fixture
def third(second: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A further version, and the step to it."""
    monkeypatch.setattr(Scored, "current", 3)
    monkeypatch.setitem(STEPS, ("scored", 2), scored_2_to_3)


def shown(event: Fact) -> tuple[float, int]:
    assert isinstance(event, Scored)
    return event.score, event.schema


@pytest.mark.usefixtures("second")
def test_a_renamed_field_is_lifted() -> None:
    assert shown(decode(scored_with_value(schema=1))) == (24.5, 2)


@pytest.mark.usefixtures("second")
def test_an_event_that_names_no_schema_is_of_the_first() -> None:
    assert shown(decode(scored_with_value())) == (24.5, 2)


@pytest.mark.usefixtures("second")
def test_what_is_not_lifted_stays_as_it_was() -> None:
    event = decode(scored_with_value())

    rest = msgspec.json.decode(encode(event))

    assert {name: rest[name] for name in TODAY} == TODAY


@pytest.mark.usefixtures("second")
def test_todays_version_takes_no_step() -> None:
    assert shown(decode(scored(schema=2))) == (24.5, 2)


@pytest.mark.usefixtures("third")
def test_steps_follow_one_another() -> None:
    assert shown(decode(scored_with_value(schema=1))) == (49.0, 3)


@pytest.mark.usefixtures("third")
def test_a_step_is_taken_even_where_the_old_fields_would_fit() -> None:
    assert shown(decode(scored(schema=2))) == (49.0, 3)


def test_bytes_of_an_old_event_are_lifted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lifting works on plain JSON values, in which bytes and times are strings."""
    event = Buried(
        at=datetime(2026, 1, 2, tzinfo=UTC),
        by="b",
        topic="probes",
        partition=0,
        offset=7,
        step="score",
        error="e",
        value=b"\x00\xff",
    )
    monkeypatch.setattr(Buried, "current", 2)
    monkeypatch.setitem(STEPS, ("buried", 1), lambda fields: fields | {"step": "gate"})

    assert decode(encode(event)) == msgspec.structs.replace(event, step="gate", schema=2)


@pytest.mark.usefixtures("third")
def test_a_missing_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(STEPS, ("scored", 1))

    with pytest.raises(Unreadable, match="no step lifts scored from schema 1"):
        decode(scored_with_value())


@pytest.mark.usefixtures("second")
def test_a_newer_event_is_told_with_both_versions() -> None:
    with pytest.raises(Unreadable, match="schema 3 is newer than 2"):
        decode(scored(schema=3))


@pytest.mark.usefixtures("second")
def test_what_does_not_fit_after_lifting_is_told_with_its_place() -> None:
    with pytest.raises(Unreadable, match=r"Expected `float`, got `str` - at `\$\.score`"):
        decode(scored_with_value(value="high"))


@pytest.mark.usefixtures("second")
def test_another_type_is_not_lifted() -> None:
    with pytest.raises(Unreadable, match="no step lifts buried from schema 0"):
        decode(b'{"type":"buried","schema":0}')
