"""An event's id says what was asked, and nothing of when, by whom or why."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import (
    Buried,
    Decided,
    File,
    Generated,
    Materialized,
    Position,
    Probed,
    Requested,
    Reviewed,
    Sampling,
    Scored,
    Started,
)
from schemas.base import Fact
from schemas.codec import TYPES, decode, encode
from streams import ids
from streams.origin import Origin

ORIGIN = Origin(at=datetime(2026, 1, 2, 3, 4, 5, 678, UTC), by="lem/0@here", run="r", cause="c")
SAMPLING = Sampling(temperature=0.8, top_p=0.95, top_k=0, min_p=0.0, max_tokens=4096)

EXAMPLES: dict[str, Fact] = {
    "08f0478e4fb2f85401afbcfa6abd9067": Probed(
        **ORIGIN, probe="P01", prompt="Why?", domain="law", set="core"
    ),
    "dd3ca45f371f0458b1a101b5c185fd48": Started(
        **ORIGIN, phase="1", model="m", sampling=SAMPLING, kernel=None, samples=10, requests=20
    ),
    "142a261902b7638fa0e58135e3c9588e": Requested(
        **ORIGIN,
        phase="1",
        probe="P01",
        original="P01",
        prompt="Why?",
        model="mlx:m",
        kernel="lek-1.json",
        kernel_digest="d",
        sampling=SAMPLING,
        sample=3,
    ),
    "3e1994ff6805af3faaf3771a81def2d5": Generated(
        **ORIGIN,
        request="q",
        phase="1",
        probe="P01",
        original="P01",
        prompt="Why?",
        model="mlx:m",
        kernel=None,
        sample=3,
        response="Because.",
        outcome="ok",
    ),
    "a2e4338910afd8bacbb62bf5d6a6300b": Scored(
        **ORIGIN, generation="g", phase="1", scorer="lek@2", definition="d", score=1.5, signals={}
    ),
    "a27c3af9b13ce226d1125c700d48ab21": Decided(
        **ORIGIN,
        step="gate",
        generation="g",
        phase="1",
        policy="p",
        scorer="lek@2",
        score=1.5,
        verdict="held",
    ),
    "fc294575c305ec440d4d99c0b8d19d29": Reviewed(
        **ORIGIN, generation="g", phase="1", reviewer="ann", verdict="accepted"
    ),
    "4a4ef994a543a892d2f8cfe3e6403511": Materialized(
        **ORIGIN,
        phase="1",
        policy="p",
        scorer="lek@2",
        files=(File(name="train.jsonl", rows=1, sha256="s"),),
        positions=(Position(topic="decisions", partition=0, end=9),),
    ),
    "cdbd2eadba67d89a2a264821a9c2337e": Buried(
        **ORIGIN, topic="scores", partition=0, offset=7, step="gate", error="e", value=b"\xff"
    ),
}
"""One event of each type by the id that it had when its type was first released."""

each_type = pytest.mark.parametrize("event", EXAMPLES.values(), ids=lambda e: type(e).__name__)


def other(value: Any) -> Any:
    """A value of the same type that is not this one."""
    match value:
        case None:
            return "other"
        case str():
            return value + "x"
        case datetime():
            return value.replace(microsecond=0)
        case tuple():
            return ()
        case Sampling():
            return msgspec.structs.replace(value, max_tokens=value.max_tokens + 1)
        case _:
            return value + 1


def changed(event: Fact, *names: str) -> Fact:
    return msgspec.structs.replace(event, **{name: other(getattr(event, name)) for name in names})


IDENTITY = [(event, name) for event in EXAMPLES.values() for name in event.identity]


def test_there_is_an_example_of_every_type() -> None:
    assert [type(event) for event in EXAMPLES.values()] == list(TYPES.values())


@pytest.mark.parametrize(("pinned", "event"), EXAMPLES.items())
def test_an_id_stays_what_it_was(pinned: str, event: Fact) -> None:
    """Another id for the same content would write every event of an old log a second time."""
    assert ids.of(event) == pinned


@each_type
def test_an_id_is_32_hexadecimal_digits(event: Fact) -> None:
    sealed = ids.sealed(event)

    assert len(sealed.id) == 32
    assert bytes.fromhex(sealed.id).hex() == sealed.id


@each_type
def test_sealing_changes_the_id_alone(event: Fact) -> None:
    sealed = ids.sealed(event)

    assert msgspec.structs.replace(sealed, id="") == event
    assert ids.sealed(sealed) == sealed


@each_type
def test_the_same_content_has_the_same_id_after_the_log(event: Fact) -> None:
    assert ids.of(decode(encode(event))) == ids.of(event)


@each_type
def test_the_origin_does_not_matter(event: Fact) -> None:
    """Except where it is what was asked: a review's time, a plan's run."""
    names = {"at", "by", "run", "cause", "schema"} - set(event.identity)

    assert {"by", "cause"} <= names
    assert ids.of(changed(event, *names)) == ids.of(event)


@each_type
def test_what_follows_from_the_rest_does_not_matter(event: Fact) -> None:
    names = set(event.__struct_fields__) - set(event.identity) - {"score", "value", "signals"}
    plain = [name for name in names if isinstance(getattr(event, name), str | int)]

    assert ids.of(changed(event, *plain)) == ids.of(event)


@pytest.mark.parametrize(
    ("event", "name"), IDENTITY, ids=[f"{type(e).__name__}-{name}" for e, name in IDENTITY]
)
def test_whatever_was_asked_matters(event: Fact, name: str) -> None:
    assert ids.of(changed(event, name)) != ids.of(event)


def test_the_type_matters() -> None:
    assert ids.named(Scored, "a", "b") != ids.named(Reviewed, "a", "b")


def test_neighbouring_fields_do_not_run_together() -> None:
    assert ids.named(Scored, "ab", "c") != ids.named(Scored, "a", "bc")


@each_type
def test_an_id_can_be_told_before_the_event_is_there(event: Fact) -> None:
    asked = [getattr(event, name) for name in event.identity]

    assert ids.named(type(event), *asked) == ids.of(event)


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.text(), min_size=2))
def test_the_order_of_keys_does_not_matter(content: dict[str, int | str]) -> None:
    assert ids.digest(dict(reversed(content.items()))) == ids.digest(content)


def test_a_digest_is_sha256_over_canonical_json() -> None:
    # printf '{"a":[1,null],"ä":"x"}' | sha256sum
    assert ids.digest({"ä": "x", "a": [1, None]}) == (
        "3000c92a641fda487f225d9dc7eac901f087541aacf55edb6af25b4b5a98a87a"
    )


def test_a_run_id_is_short_and_says_what_runs() -> None:
    assert ids.run_id("distill", "1", "mlx:m", None, SAMPLING) == "distill-1-e9c4cd69f216"


@pytest.mark.parametrize(
    "asked", [("ab", "1", "m"), ("distill", "2", "m"), ("distill", "1", "n"), ("distill", "1")]
)
def test_another_question_is_another_run(asked: tuple[str, ...]) -> None:
    assert ids.run_id(*asked) != ids.run_id("distill", "1", "m")


@pytest.mark.parametrize(
    ("event_id", "seed"),
    [
        ("0" * 32, 0),
        ("f" * 32, 2**31 - 1),
        ("00000002" + "f" * 24, 1),
        ("80000000" + "0" * 24, 2**30),
    ],
)
def test_a_seed_is_the_first_31_bits_of_the_id(event_id: str, seed: int) -> None:
    assert ids.seed(event_id) == seed


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_a_seed_fits_every_back_end(event_id: bytes) -> None:
    assert 0 <= ids.seed(event_id.hex()) <= 2**31 - 1
