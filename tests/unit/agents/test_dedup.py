"""Which responses are duplicates follows from texts, scores and ids, never from what came first."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import combinations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dedup import Kept, passed
from agents.rules import normalised
from schemas import Decided
from schemas.base import Fact
from streams.config import Settings
from streams.curriculum import Curriculum, load
from streams.duplicate import Duplicate
from streams.envelope import event
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests.events import decided, generated, put, requested, scored

WORDS = ["fair", "just", "kind", "wise", "calm", "bold", "meek", "glad", "true", "firm"]
TEXT = " ".join(f"{word} {number}" for number in range(3) for word in WORDS)
"""One word less is little of it, and six are too much."""

# Few texts, so that many are equal or similar: chains too, of which the ends are not.
texts = st.one_of(
    st.sampled_from(["", "A", "a  ", "ﬁne words", "Fine Words", "one two three four", "\ud83d"]),
    st.integers(0, 6).map(lambda n: TEXT.rsplit(" ", n)[0]),
    st.integers(0, 6).map(lambda n: TEXT.split(" ", n)[-1].upper()),
)
answers = st.lists(st.tuples(texts, st.integers(0, 3)), min_size=1, max_size=12)
NEAR = Duplicate(similarity=0.8)


def curriculum(duplicate: Duplicate = NEAR) -> Curriculum:
    phase = load(Path(Settings().curriculum)).phase("1")
    gate = msgspec.structs.replace(phase.gate, duplicate=duplicate)
    return Curriculum({"1": msgspec.structs.replace(phase, gate=gate)})


def gated(
    found: Sequence[tuple[str, int]], duplicate: Duplicate = NEAR
) -> tuple[list[Decided], list[Fact]]:
    """A gate decision on each answer, and everything that they stand on."""
    policy = curriculum(duplicate).phase("1").policy
    # A log holds no half of a surrogate pair.
    generations = [
        generated(requested(sample=number), response=text.encode(errors="replace").decode())
        for number, (text, _) in enumerate(found)
    ]
    scores = [
        scored(generation, float(score))
        for generation, (_, score) in zip(generations, found, strict=True)
    ]
    return [decided(score, policy=policy) for score in scores], [*generations, *scores]


@contextmanager
def log(folder: Path) -> Iterator[EmbeddedStore]:
    with closing(EmbeddedStore(folder / "log.db")) as store:
        for topic in TOPICS:
            store.declare(topic, 1)
        yield store


def told(store: EmbeddedStore) -> list[Decided]:
    found = [event(record) for record in store.scan("decisions", 0)]
    return [each for each in found if isinstance(each, Decided) and each.step == "dedup"]


def kept(store: EmbeddedStore) -> set[str]:
    """The generations that dedup accepted and never rejected."""
    found = told(store)
    rejected = {each.generation for each in found if each.verdict == "rejected"}
    return {each.generation for each in found} - rejected


def similarity(one: str, other: str) -> float:
    """By the definition itself."""
    if normalised(one) == normalised(other):
        return 1.0
    a, b = (_runs(normalised(text).split()) for text in (one, other))
    return len(a & b) / len(a | b)


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4))}


def best(
    found: Sequence[tuple[str, int]], decisions: Sequence[Decided], bound: float | None = 0.8
) -> set[str]:
    """By the rule itself: those that are similar to no better one, or without a bound equal."""
    ranked = sorted(
        (-score, decision.generation, text)
        for (text, score), decision in zip(found, decisions, strict=True)
    )
    pairs = combinations(ranked, 2)
    worse = {b[1] for a, b in pairs if _is_similar(a[2], b[2], bound)}
    return {generation for _, generation, _ in ranked} - worse


def _is_similar(one: str, other: str, bound: float | None) -> bool:
    return similarity(one, other) >= bound if bound else normalised(one) == normalised(other)


@contextmanager
def remembering(store: EmbeddedStore, duplicate: Duplicate = NEAR) -> Iterator[Kept]:
    """Dedup as it begins: it knows what the log says."""
    with closing(Kept(store, curriculum(duplicate))) as dedup:
        put(store, *dedup.read_on())
        yield dedup


@settings(max_examples=60, deadline=None)
@given(found=answers, order=st.randoms(use_true_random=False), bound=st.sampled_from([None, 0.8]))
def test_what_is_kept_does_not_follow_from_arrival(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[tuple[str, int]],
    order: random.Random,
    bound: float | None,
) -> None:
    duplicate = Duplicate(similarity=bound)
    decisions, rest = gated(found, duplicate)
    arriving = decisions.copy()
    order.shuffle(arriving)

    with log(tmp_path_factory.mktemp("log")) as store:
        put(store, *rest, *decisions)
        with remembering(store, duplicate) as dedup:
            for decision in arriving:
                put(store, *dedup.decide(decision))
        result, said = kept(store), told(store)

    assert result == best(found, decisions, bound)
    assert len(said) <= 2 * len(found)  # each is accepted once at most, and rejected once


@settings(max_examples=30, deadline=None)
@given(found=answers)
def test_each_rejection_names_a_better_one_and_how_similar_it_is(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]]
) -> None:
    decisions, rest = gated(found)
    with log(tmp_path_factory.mktemp("log")) as store:
        put(store, *rest, *decisions)
        with remembering(store) as dedup:
            for decision in decisions:
                put(store, *dedup.decide(decision))
        said = told(store)

    by_id = {d.generation: (text, d.score) for (text, _), d in zip(found, decisions, strict=True)}
    for each in said:
        if each.verdict == "rejected":
            (text, score), of = by_id[each.generation], each.duplicate_of
            assert of
            assert (-by_id[of][1], of) < (-score, each.generation)
            assert each.similarity == similarity(text, by_id[of][0])
            assert of in each.findings[0].reason


@settings(max_examples=60, deadline=None)
@given(found=answers, data=st.data())
def test_a_crash_anywhere_changes_no_decision(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Events of a crashed turn may be on the log in part; its input comes again, and later ones."""
    decisions, rest = gated(found)
    with (
        log(tmp_path_factory.mktemp("log")) as calm,
        log(tmp_path_factory.mktemp("log")) as crashed,
    ):
        for store in (calm, crashed):
            put(store, *rest, *decisions)
        with remembering(calm) as dedup:
            for decision in decisions:
                put(calm, *dedup.decide(decision))

        committed = 0
        for _ in range(data.draw(st.integers(0, 3))):
            crash = data.draw(st.integers(committed, len(decisions) - 1))
            with remembering(crashed) as dedup:
                for decision in decisions[committed:crash]:
                    put(crashed, *dedup.decide(decision))
                put(crashed, *dedup.decide(decisions[crash])[: data.draw(st.integers(0, 2))])
            committed = data.draw(st.integers(committed, crash))
        with remembering(crashed) as dedup:
            for decision in decisions[committed:]:
                put(crashed, *dedup.decide(decision))

        ids = [[each.id for each in told(store)] for store in (calm, crashed)]
    assert ids[0] == ids[1]


@settings(max_examples=40, deadline=None)
@given(found=answers, whose=st.lists(st.booleans(), min_size=12, max_size=12))
def test_what_two_workers_decided_unaware_of_each_other_is_mended_by_who_reads_it(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]], whose: list[bool]
) -> None:
    decisions, rest = gated(found)
    with log(tmp_path_factory.mktemp("log")) as store:
        put(store, *rest, *decisions)
        with remembering(store) as one, remembering(store) as other:
            for decision, is_one in zip(decisions, whose, strict=False):
                put(store, *(one if is_one else other).decide(decision))
            put(store, *one.read_on())
        result = kept(store)
        with remembering(store):
            assert kept(store) == result

    assert result == best(found, decisions)


@settings(max_examples=30, deadline=None)
@given(found=answers)
def test_many_together_are_decided_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]]
) -> None:
    decisions, rest = gated(found)
    with log(tmp_path_factory.mktemp("log")) as store:
        put(store, *rest)
        with remembering(store) as single, remembering(store) as together:
            one_by_one = [said.id for gate in decisions for said in single.decide(gate)]
            texts = [store_text for store_text, _ in found]
            given_ = [
                (passed(gate, cause=gate.id), t) for gate, t in zip(decisions, texts, strict=True)
            ]
            at_once = [said.id for said in together.decide_all(given_)]
    assert at_once == one_by_one


def test_what_the_gate_rejected_is_not_looked_at(tmp_path: Path) -> None:
    policy = curriculum().phase("1").policy
    decision = decided(scored(generated()), "rejected", rule="threshold", policy=policy)

    with log(tmp_path) as store, remembering(store) as dedup:
        assert dedup.decide(decision) == []


def test_under_a_policy_that_is_not_in_force_nothing_is_decided(tmp_path: Path) -> None:
    (decision,), rest = gated([("A", 1)], Duplicate(similarity=0.5))
    with log(tmp_path) as store, remembering(store) as dedup:
        put(store, *rest, decision)

        assert dedup.decide(decision) == []


def test_the_one_that_is_left_out_is_told_before_the_one_that_stays(tmp_path: Path) -> None:
    (worse, better), rest = gated([(TEXT, 1), (f"{TEXT} indeed", 2)])
    with log(tmp_path) as store, remembering(store) as dedup:
        put(store, *rest, worse, better)

        (first,) = dedup.decide(worse)
        superseded, unique = dedup.decide(better)

    assert (first.verdict, first.similarity) == ("accepted", None)
    assert (superseded.verdict, unique.verdict) == ("rejected", "accepted")
    assert (superseded.generation, superseded.duplicate_of) == (worse.generation, better.generation)
    assert superseded.run == worse.run
    (finding,) = superseded.findings
    assert finding.rule == "duplicate"
    assert superseded.similarity
    assert f"{superseded.similarity:.3f}" in finding.reason
