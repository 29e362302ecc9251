"""How much of one prompt stands in another, counted exactly."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from agents.likeness import ALIKE, likeness, pairs, runs

TEXT = "Who may keep the only key to the archive of a town that nobody lives in?"
WORDS = [f"w{number}" for number in range(60)]
prompts = st.lists(st.sampled_from("abc"), max_size=40).map(" ".join)


def shared(first: int, words: int) -> float:
    """The likeness of sixty words and a text that has these of them, and others around."""
    part = ["x", *WORDS[first : first + words], *(f"y{number}" for number in range(59 - words))]
    return likeness(runs(" ".join(WORDS)), runs(" ".join(part)))


def test_case_spaces_and_punctuation_make_no_difference() -> None:
    assert runs("One two,\nthree -- FOUR five!") == runs("one Two three four five")


def test_a_copy_of_full_width_is_a_copy() -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in TEXT)

    assert wide != TEXT
    assert likeness(runs(wide), runs(TEXT)) == 1.0


def test_a_likeness_is_the_share_of_the_shorter_text() -> None:
    quoted = runs(" ".join(WORDS[:20]))

    assert likeness(quoted, runs(" ".join(WORDS))) == 1.0
    assert shared(0, 24) == 20 / 56


def test_a_third_is_alike_and_less_is_not() -> None:
    assert shared(0, 23) >= ALIKE > shared(0, 22)


def test_short_texts_are_alike_only_where_they_are_the_same() -> None:
    assert likeness(runs("Why is it so hard?"), runs("Why is it so hard")) == 1.0
    assert likeness(runs("Why is it so hard?"), runs("Say why is it so hard today")) < ALIKE
    assert likeness(runs("Why?"), runs("Why not?")) == 0.0


@given(st.lists(prompts, max_size=8))
def test_the_pairs_are_those_of_comparing_each_with_each(texts: list[str]) -> None:
    found = [runs(text) for text in texts]
    every = combinations(range(len(found)), 2)
    wanted = {(a, b) for a, b in every if likeness(found[a], found[b]) >= ALIKE}

    assert {(a, b) for a, b, _ in pairs(found)} == wanted
