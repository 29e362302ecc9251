"""Dedup where a generation that was decided on can't be read any more: it concerns no other."""

from pathlib import Path

from agents.settle import dedup as settled
from streams.replay import opened, policies
from tests.events import put
from tests.unit.agents.test_dedup import TEXT, curriculum, gated, log, remembering, told

OTHER = " ".join(f"{word}s" for word in TEXT.split())
FOUND = [(OTHER, 3), (TEXT, 2), (f"{TEXT} indeed", 1), (OTHER, 1)]
"""The first will be missing, the third is similar to the second, the last equals the first."""


def logged(folder: Path) -> Path:
    """A log where dedup decided on the first two, and the first one's generation is missing."""
    decisions, rest = gated(FOUND)
    (folder / "whole").mkdir()
    (folder / "part").mkdir()
    with log(folder / "whole") as whole, log(folder / "part") as part:
        put(whole, *rest, *decisions)
        put(part, *(fact for fact in rest if fact.id != decisions[0].generation), *decisions)
        with remembering(whole) as dedup:
            for decision in decisions[:2]:
                put(part, *dedup.decide(decision))
    return folder / "part"


def test_what_was_decided_beside_a_missing_generation_is_not_forgotten(tmp_path: Path) -> None:
    (missing, known, similar, equal), _ = gated(FOUND)
    with log(logged(tmp_path)) as store, remembering(store) as dedup:
        (near,), (same,) = dedup.decide(similar), dedup.decide(equal)

    assert near.duplicate_of == known.generation
    assert same.duplicate_of == missing.generation


def test_settling_goes_on_beside_a_missing_generation(tmp_path: Path) -> None:
    (missing, known, similar, equal), _ = gated(FOUND)
    of_now, home = curriculum(), tmp_path / "home"
    with log(logged(tmp_path)) as store, opened(store, home, policies(of_now)) as views:
        put(store, *settled(store, views, of_now))
        said = {each.generation: each.duplicate_of for each in told(store)}

    assert said == {
        missing.generation: None,
        known.generation: None,
        similar.generation: known.generation,
        equal.generation: missing.generation,
    }
