"""A text has the same numbers everywhere and always, and similar texts share some of them."""

import random

from hypothesis import given
from hypothesis import strategies as st

from agents.bands import Bands
from agents.rules import normalised
from agents.shingles import jaccard, sketches

GOLDEN = "It would be fair to ask those who bear the cost — Überall, ﬁrst."

SHINGLES = [752197486770092620, 5816616244930082679]
BANDS = [2405676890430162734, 14046938884519211980, 4600281440778802726]
EMPTY = [0]


letters = st.lists(st.sampled_from("abcdé"), max_size=30)


def runs(text: str) -> set[tuple[str, ...]]:
    words = normalised(text).split()
    return {tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4))}


def test_the_numbers_of_a_text_are_the_same_on_every_machine() -> None:
    """Decisions on the log hang on them: other numbers are another rule."""
    found, empty = sketches([normalised(GOLDEN), ""], 5)

    assert found.shingles[:2].tolist() == SHINGLES
    assert found.bands[:3] == BANDS
    assert empty.shingles.tolist() == EMPTY


@given(st.lists(st.text(), max_size=6))
def test_a_text_has_as_many_numbers_as_shingles_whatever_stands_beside_it(found: list[str]) -> None:
    together = sketches([normalised(text) for text in found], 5)

    assert [len(each.shingles) for each in together] == [len(runs(text)) for text in found]
    for text, each in zip(found, together, strict=True):
        (alone,) = sketches([normalised(text)], 5)
        assert alone.shingles.tolist() == each.shingles.tolist()
        assert alone.bands == each.bands


@given(
    st.lists(st.sampled_from("abcdé"), max_size=30), st.lists(st.sampled_from("abcdé"), max_size=30)
)
def test_the_similarity_is_that_of_the_shingles(one: list[str], other: list[str]) -> None:
    a, b = (" ".join(words) for words in (one, other))
    first, second = sketches([a, b], 5)

    both = runs(a) & runs(b), runs(a) | runs(b)
    assert jaccard(first.shingles, second.shingles) == len(both[0]) / len(both[1])


def test_of_texts_at_the_bound_nearly_all_are_found() -> None:
    """Pairs whose similarity is just above 0.8, of which a pair may be missed."""
    chance = random.Random(1)
    words = [f"w{number}" for number in range(3000)]
    held, asked, missed = Bands[int](), 0, 0
    for _ in range(1000):
        text = chance.choices(words, k=250)
        # Each word that is changed changes five shingles of 246.
        changed = text.copy()
        for at in range(10, 50, 10):
            changed[at] = "other"
        changed[243:] = chance.choices(words, k=7)
        one, other = sketches([" ".join(text), " ".join(changed)], 5)
        if jaccard(one.shingles, other.shingles) >= 0.8:
            held.add(one.bands, asked)
            missed += asked not in held.near(other.bands)
            asked += 1

    assert asked == 1000
    assert missed <= 15
