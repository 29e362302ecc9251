"""Dedup of ten thousand responses, and of huge ones."""

import random
from pathlib import Path

from agents.dedup import passed
from agents.rules import fingerprint
from tests.events import put
from tests.unit.agents.test_dedup import (
    TEXT,
    WORDS,
    best,
    gated,
    kept,
    log,
    remembering,
    similarity,
    told,
)


def test_ten_thousand_equal_texts_are_one_entry_and_as_many_events_as_they_must_be(
    tmp_path: Path,
) -> None:
    (first,), _ = gated([(TEXT, 0)])
    one = passed(first, cause=first.id)
    chance = random.Random(1)
    scores = [float(chance.randrange(100)) for _ in range(10_000)]
    with log(tmp_path) as store, remembering(store) as dedup:
        crowd = [
            (one._replace(generation=f"{number:032x}", score=score), TEXT)
            for number, score in enumerate(scores)
        ]
        said = dedup.decide_all(crowd)

    accepted = {each.generation for each in said if each.verdict == "accepted"}
    rejected = {each.generation for each in said if each.verdict == "rejected"}
    highest = scores.index(max(scores))
    assert accepted - rejected == {f"{highest:032x}"}
    assert len(said) < 10_000 + 100
    assert {each.fingerprint for each in said} == {fingerprint(TEXT)}


def test_texts_of_a_megabyte_are_compared(tmp_path: Path) -> None:
    chance = random.Random(1)
    words = [chance.choice(WORDS) + str(chance.randrange(1000)) for _ in range(150_000)]
    long, cut = " ".join(words), " ".join(words[10_000:])
    assert len(long) > 1_000_000
    found = [(long, 1), (cut, 2), (" ".join(words[40_000:]), 3)]
    decisions, rest = gated(found)
    with log(tmp_path) as store:
        put(store, *rest, *decisions)
        with remembering(store) as dedup:
            for decision in decisions:
                put(store, *dedup.decide(decision))
        result, said = kept(store), told(store)

    assert result == best(found, decisions)
    (rejected,) = (each for each in said if each.verdict == "rejected")
    assert rejected.similarity == similarity(long, cut)
