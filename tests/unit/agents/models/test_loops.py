"""A circle is noticed as soon as it has gone round often enough, and prose is none."""

from hypothesis import given
from hypothesis import strategies as st

from agents.models.loops import FEWEST, LONGEST, TIMES, Loop


def _closes(tokens: list[int]) -> int | None:
    """After how many tokens a circle is noticed."""
    loop = Loop()
    return next((at for at, token in enumerate(tokens, 1) if loop.closes(token)), None)


def _plain(tokens: list[int]) -> int | None:
    """The same, by comparing whole stretches."""
    for end in range(1, len(tokens) + 1):
        for period in range(1, LONGEST + 1):
            length = max(period * (TIMES - 1), FEWEST)
            if length + period <= end and (
                tokens[end - length : end] == tokens[end - length - period : end - period]
            ):
                return end
    return None


def test_one_token_again_and_again_is_a_circle() -> None:
    assert _closes([7] * 1000) == FEWEST + 1


def test_a_long_circle_is_noticed_after_it_went_round() -> None:
    circle = list(range(100))

    assert _closes([500, 501, *circle * 10]) == 2 + TIMES * len(circle)


def test_what_is_longer_than_the_ring_is_none() -> None:
    assert _closes(list(range(LONGEST + 1)) * 6) is None


def test_a_refrain_in_prose_is_none() -> None:
    verse = iter(range(1000, 10**6))
    song = [token for _ in range(20) for token in (*range(30), *(next(verse) for _ in range(30)))]

    assert _closes(song) is None


@given(
    st.lists(st.integers(0, 2), max_size=12), st.lists(st.integers(0, 1), min_size=1, max_size=9)
)
def test_it_is_noticed_where_plain_comparison_notices_it(
    lead: list[int], circle: list[int]
) -> None:
    tokens = lead + circle * (2 * FEWEST // len(circle) + 2)

    assert _closes(tokens) == _plain(tokens)
