"""Cohen's kappa against published figures, and its interval against the delta method by numbers."""

import random
from math import sqrt

import pytest
from scipy.stats import norm

from agents.reviewing.agreement import Counts, best, kappa


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        ((20, 5, 10, 15), 0.4),  # two readers of 50 proposals, a textbook's example
        ((45, 15, 25, 15), 0.1304),
        ((25, 35, 5, 35), 0.2593),
        ((10, 0, 0, 10), 1.0),
        ((0, 10, 10, 0), -1.0),
        ((5, 5, 0, 0), 0.0),  # the second accepts nothing that the first would not by chance
    ],
)
def test_kappa_is_that_of_the_books(counts: tuple[int, int, int, int], value: float) -> None:
    assert kappa(Counts(*counts)).value == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (7, 0, 0, 0), (0, 0, 0, 7)])
def test_there_is_no_kappa_where_both_say_one_thing_of_all(counts: tuple[int, ...]) -> None:
    assert kappa(Counts(*counts)) == (None, None, None)


@pytest.mark.parametrize("counts", [(20, 5, 10, 15), (45, 15, 25, 15), (3, 30, 1, 70)])
def test_the_interval_is_that_of_the_delta_method(counts: tuple[int, int, int, int]) -> None:
    """The variance from numerical derivatives of kappa in the four shares, multinomial."""
    total = sum(counts)
    shares = [count / total for count in counts]
    slopes = [_slope(shares, at) for at in range(4)]
    mean = sum(p * s for p, s in zip(shares, slopes, strict=True))
    variance = sum(p * s**2 for p, s in zip(shares, slopes, strict=True)) - mean**2
    reach = norm.ppf(0.975) * sqrt(variance / total)

    value, low, high = kappa(Counts(*counts))

    assert value is not None
    assert low == pytest.approx(max(-1, value - reach), abs=1e-6)
    assert high == pytest.approx(min(1, value + reach), abs=1e-6)


def _slope(shares: list[float], at: int, step: float = 1e-6) -> float:
    up, down = list(shares), list(shares)
    up[at] += step
    down[at] -= step
    return (_plain(up) - _plain(down)) / (2 * step)


def _plain(shares: list[float]) -> float:
    both, first, second, neither = shares
    one, other = both + first, both + second
    chance = one * other + (second + neither) * (first + neither)
    return (both + neither - chance) / (1 - chance)


@pytest.mark.parametrize("counts", [(3, 1, 1, 4), (20, 0, 0, 20)])
def test_no_interval_is_said_of_few_or_of_full_agreement(counts: tuple[int, ...]) -> None:
    found = kappa(Counts(*counts))

    assert found.value is not None
    assert (found.low, found.high) == (None, None)


def test_the_best_threshold_is_the_best_of_all_that_there_are() -> None:
    chance = random.Random(7)
    for _ in range(50):
        said = [(chance.random() < 0.6, float(chance.randrange(8))) for _ in range(25)]
        values = {bar: _at(said, bar) for _, bar in said}

        found = best(said)

        if found is None:
            assert max(values.values()) <= 0
        else:
            assert _at(said, found) == pytest.approx(max(values.values()))
            assert found == min(b for b, v in values.items() if v == pytest.approx(values[found]))


def _at(said: list[tuple[bool, float]], bar: float) -> float:
    pairs = [(yes, score >= bar) for yes, score in said]
    cells = [(True, True), (True, False), (False, True), (False, False)]
    return kappa(Counts(*(pairs.count(cell) for cell in cells))).value or 0.0
