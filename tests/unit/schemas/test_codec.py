"""Every event survives the way to bytes and back; whatever is no event is refused by one error."""

from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import Event, Scored
from schemas.base import Fact
from schemas.codec import TYPES, Unreadable, decode, encode

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),  # JSON has no word for them
    bytes: st.binary(max_size=20),
    datetime: st.datetimes(timezones=st.just(UTC)),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, whatever it is made of."""
    inner = get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from(inner)
    if get_origin(kind) is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    return st.one_of(*map(values, inner))


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    fields = {each.name: values(each.type) for each in msgspec.structs.fields(kind)}
    if issubclass(kind, Fact):
        fields["schema"] = st.just(kind.current)
    return st.builds(kind, **fields)


events = st.sampled_from(list(TYPES.values())).flatmap(structs)
texts = st.text(max_size=5)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def scored(**changed: Any) -> bytes:
    """The JSON of a score, with these fields set; `...` takes one out."""
    fields = {
        "type": "scored",
        "at": "2026-01-02T03:04:05Z",
        "by": "lem/0@here",
        "generation": "g",
        "phase": "1",
        "scorer": "lek@2",
        "definition": "d",
        "score": 24.5,
        "signals": {"hedges": 1.0},
    } | changed
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not ...})


@pytest.mark.parametrize("kind", TYPES.values(), ids=list(TYPES))
@unhurried
@given(data=st.data())
def test_an_event_comes_back_as_it_was(kind: type[Fact], data: st.DataObject) -> None:
    event = data.draw(structs(kind))

    assert decode(encode(event)) == event


def test_every_event_type_is_known_by_its_tag() -> None:
    assert set(TYPES.values()) == set(get_args(Event))
    assert TYPES["scored"] is Scored


def test_fields_stand_in_the_order_of_their_declaration() -> None:
    event = decode(scored())

    written = list(msgspec.json.decode(encode(event)))

    assert written == ["type", *Scored.__struct_fields__]


def test_what_has_a_default_may_be_missing() -> None:
    event = decode(scored())

    assert (event.id, event.run, event.cause, event.schema) == ("", None, None, 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(b"", "truncated", id="no bytes"),
        pytest.param(b"probe 7", "malformed", id="no JSON"),
        pytest.param(scored()[:-9], "truncated", id="cut off"),
        pytest.param(scored() + b"{}", "trailing", id="two at once"),
        pytest.param(b"\xff\xfe", "invalid character", id="no text"),
        pytest.param(scored(by="?").replace(b"?", b"\xff"), "utf-8", id="no UTF-8"),
        pytest.param(b"[" * 100_000, "recursion", id="deep"),
        pytest.param(scored(signals=0)[:-2] + b"[" * 100_000, "recursion", id="deep in a field"),
        pytest.param(scored(score=0)[:-1] + b',"a":1e999}', "out of range", id="number"),
    ],
)
def test_what_is_no_json_is_refused(value: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=f"^not JSON: .*{said}"):
        decode(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(b"[]", "Expected `object`, got `array`", id="a list"),
        pytest.param(b"null", "Expected `object`, got `null`", id="null"),
        pytest.param(b"{}", "missing required field `type`", id="empty object"),
        pytest.param(scored(type="scord"), r"Invalid value 'scord' - at `\$\.type`", id="type"),
        pytest.param(scored(type=["scored"]), r"Expected `str` - at `\$\.type`", id="type's type"),
        pytest.param(scored(type=...), "missing required field `type`", id="no type"),
        pytest.param(scored(score=...), "missing required field `score`", id="no score"),
        pytest.param(scored(value=1), "unknown field `value`", id="unknown field"),
        pytest.param(
            scored(score="high"), r"Expected `float`, got `str` - at `\$\.score`", id="field's type"
        ),
        pytest.param(
            scored(signals={"a": None}),
            r"Expected `float`, got `null` - at `\$\.signals\[\.\.\.\]`",
            id="type within a field",
        ),
        pytest.param(scored(at="today"), r"Invalid RFC3339 .* at `\$\.at`", id="time"),
        pytest.param(scored(schema=2), "schema 2 is newer than 1", id="newer schema"),
        pytest.param(scored(schema=2, new=0), "schema 2 is newer than 1", id="newer with more"),
        pytest.param(scored(schema=10**30), "newer than 1", id="schema beyond 64 bits"),
        pytest.param(scored(schema=0), "no step lifts scored from schema 0", id="schema before 1"),
        pytest.param(scored(schema="1"), "schema '1'", id="schema's type"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(value: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=f"^not an event known here: .*{said}"):
        decode(value)


def is_event_or_unreadable(value: bytes) -> bool:
    """True for either; any other error goes through."""
    try:
        return isinstance(decode(value), Fact)
    except Unreadable:
        return True


@unhurried
@given(value=st.binary(max_size=200))
def test_no_bytes_raise_another_error(value: bytes) -> None:
    assert is_event_or_unreadable(value)


@unhurried
@given(event=events, data=st.data())
def test_no_damage_to_an_event_raises_another_error(event: Fact, data: st.DataObject) -> None:
    value = encode(event)
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))

    assert is_event_or_unreadable(value[:start] + data.draw(st.binary(max_size=4)) + value[end:])


@settings(unhurried, max_examples=300)
@given(event=events, other=anything, data=st.data())
def test_no_value_of_a_field_raises_another_error(
    event: Fact, other: Any, data: st.DataObject
) -> None:
    fields = msgspec.json.decode(encode(event))
    fields[data.draw(st.sampled_from([*fields, "more"]))] = other

    assert is_event_or_unreadable(msgspec.json.encode(fields))
