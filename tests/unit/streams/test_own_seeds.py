"""The seeds that come along: their ids and domains, their numbers, and that they are our own."""

from collections import Counter
from pathlib import Path

import pytest

from streams.seeds import read

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "lem" / "seeds"


def test_the_core_set_is_numbered_as_the_published_one() -> None:
    seeds, _ = read(ROOT / "seeds" / "core.yaml")
    numbers = [int(seed.id.split("_")[0].removeprefix("P")) for seed in seeds]
    (greeting,) = [seed for seed in seeds if len(seed.prompt.split()) < 45]

    assert numbers == sorted([*range(1, 101), 21])
    assert greeting.id == "P21_PLAYFULNESS"


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the published seeds are not at {REAL}")
def test_the_core_set_has_the_topics_of_the_published_one_and_ids_of_its_own() -> None:
    """Only the greeting stands in none of the published files of a hundred."""
    ours = {seed.id: seed.domain for seed in read(ROOT / "seeds" / "core.yaml")[0]}
    files = sorted(REAL.glob("P*-P*.json"))
    published = [seed for path in files for seed in read(path)[0]]
    theirs = {_short(seed.id): seed.domain.lower() for seed in published}

    assert ours.pop("P21_PLAYFULNESS") == "culture"
    assert ours == theirs | {"P38_INVISIBLE": "labour"}
    assert not ours.keys() & {seed.id for seed in published}


def _short(published: str) -> str:
    """The number and the topic, without the domain between them."""
    number, _, topic = published.split("_")
    return f"{number}_{topic}"


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the published seeds are not at {REAL}")
def test_no_prompt_of_ours_repeats_eight_words_of_the_published_ones() -> None:
    theirs = {run for seed in read(REAL)[0] for run in eights(seed.prompt)}
    ours, _ = read(ROOT / "seeds")

    assert [seed.id for seed in ours if eights(seed.prompt) & theirs] == []


def eights(text: str) -> set[tuple[str, ...]]:
    """Every eight words that stand in a row."""
    words = text.lower().split()
    return set(zip(*(words[start:] for start in range(8)), strict=False))


def test_the_synthesis_has_eight_of_each_kind() -> None:
    seeds, _ = read(ROOT / "seeds" / "synthesis.yaml")
    kinds = ("cross-domain", "meta", "historical", "recursive", "legacy language")

    assert Counter(seed.domain for seed in seeds) == dict.fromkeys(kinds, 8)
