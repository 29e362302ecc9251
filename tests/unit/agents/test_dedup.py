"""Which of equal responses is kept follows from score and id, never from arrival or a restart."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dedup import Kept
from schemas import Decided
from schemas.base import Fact
from streams.envelope import event
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests.events import decided, generated, put, requested, scored

# Text and score of each generation: few texts, so that many are equal.
answers = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 3)), min_size=1, max_size=12)


def gated(found: list[tuple[str, int]]) -> tuple[list[Decided], list[Fact]]:
    """A gate decision on each answer, and everything that they stand on."""
    generations = [
        generated(requested(sample=number), response=f"  {text}  text")
        for number, (text, _) in enumerate(found)
    ]
    scores = [
        scored(generation, float(score))
        for generation, (_, score) in zip(generations, found, strict=True)
    ]
    return [decided(score) for score in scores], [*generations, *scores]


def log(folder: Path) -> EmbeddedStore:
    store = EmbeddedStore(folder / "log.db")
    for topic in TOPICS:
        store.declare(topic, 1)
    return store


def kept(store: EmbeddedStore) -> set[str]:
    """The generations whose last decision of dedup accepts them."""
    last: dict[str, str] = {}
    for record in store.scan("decisions", 0):
        told = event(record)
        if isinstance(told, Decided) and told.step == "dedup":
            last[told.generation] = told.verdict
    return {generation for generation, verdict in last.items() if verdict == "accepted"}


def best(found: list[tuple[str, int]], decisions: list[Decided]) -> set[str]:
    """By the rule itself: of each text the highest score, then the smallest id."""
    texts: dict[str, list[tuple[int, str]]] = {}
    for (text, score), decision in zip(found, decisions, strict=True):
        texts.setdefault(text, []).append((-score, decision.generation))
    return {min(group)[1] for group in texts.values()}


def remembering(store: EmbeddedStore) -> Kept:
    """Dedup as it begins: it knows what the log says."""
    dedup = Kept(store)
    dedup.read_on()
    return dedup


@settings(max_examples=60, deadline=None)
@given(found=answers, order=st.randoms(use_true_random=False))
def test_what_is_kept_does_not_follow_from_arrival(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]], order: random.Random
) -> None:
    store = log(tmp_path_factory.mktemp("log"))
    decisions, rest = gated(found)
    put(store, *rest, *decisions)
    arriving = decisions.copy()
    order.shuffle(arriving)

    dedup = remembering(store)
    for decision in arriving:
        put(store, *dedup.decide(decision))

    result = kept(store)
    store.close()
    assert result == best(found, decisions)


@settings(max_examples=60, deadline=None)
@given(found=answers, data=st.data())
def test_a_crash_anywhere_changes_no_decision(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Events of a crashed turn may be on the log in part; its input comes again, and later ones."""
    decisions, rest = gated(found)
    calm, crashed = (log(tmp_path_factory.mktemp("log")) for _ in range(2))
    for store in (calm, crashed):
        put(store, *rest, *decisions)
    dedup = remembering(calm)
    for decision in decisions:
        put(calm, *dedup.decide(decision))

    committed = 0
    for _ in range(data.draw(st.integers(0, 3))):
        crash = data.draw(st.integers(committed, len(decisions) - 1))
        dedup = remembering(crashed)
        for decision in decisions[committed:crash]:
            put(crashed, *dedup.decide(decision))
        put(crashed, *dedup.decide(decisions[crash])[: data.draw(st.integers(0, 2))])
        committed = data.draw(st.integers(committed, crash))
    dedup = remembering(crashed)
    for decision in decisions[committed:]:
        put(crashed, *dedup.decide(decision))

    ids = [[event(r).id for r in store.scan("decisions", 0)] for store in (calm, crashed)]
    for store in (calm, crashed):
        store.close()
    assert ids[0] == ids[1]


def test_what_the_gate_rejected_is_not_looked_at(tmp_path: Path) -> None:
    store = log(tmp_path)
    decision = decided(scored(generated()), "rejected", rule="threshold")

    assert remembering(store).decide(decision) == []
    store.close()


def test_the_one_that_is_left_out_names_the_one_that_is_kept(tmp_path: Path) -> None:
    store = log(tmp_path)
    (worse, better), rest = gated([("A", 1), ("A", 2)])
    put(store, *rest, worse, better)
    dedup = remembering(store)

    (first,) = dedup.decide(worse)
    superseded, unique = dedup.decide(better)

    assert (first.verdict, unique.verdict, superseded.verdict) == (
        "accepted",
        "accepted",
        "rejected",
    )
    assert (superseded.generation, superseded.duplicate_of) == (worse.generation, better.generation)
    assert superseded.findings[0].rule == "duplicate"
    store.close()
