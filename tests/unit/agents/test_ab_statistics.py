"""The statistics of A/B tests, held against scipy, statsmodels, whole enumerations, simulations."""

from itertools import chain, combinations, product
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agents.ab.statistics import LEVEL, POWER, Effect, effect, holm, smallest, student

SKEWED = [0.1, 4.0, -0.3, 0.2, 1.1, 0.9, -1.2, 7.5, 0.4, 0.0, 2.2, -0.6, 0.3, 1.7, 3.1, -0.2]


def spread(probes: int, found: float) -> Effect:
    return Effect(probes=probes, delta=0.0, low=-1.0, high=1.0, p=1.0, spread=found)


def bounds(found: Effect) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def distances(deltas: list[float], resamples: Any) -> Any:
    """The studentised statistic of resamples, written once more."""
    means, errors = resamples.mean(axis=-1), resamples.std(axis=-1, ddof=1) / sqrt(len(deltas))
    return np.where(errors > 1e-12, np.abs(means - fmean(deltas)) / np.maximum(errors, 1e-12), 1e9)


def assert_from(found: Any, deltas: list[float]) -> None:
    """19 of 20 of these resamples lie within the interval; p is the share as far off as zero."""
    error = stdev(deltas) / sqrt(len(deltas))
    low, high = bounds(effect(deltas))
    reach = (high - low) / 2 / error
    assert (high + low) / 2 == pytest.approx(fmean(deltas))
    assert np.mean(found < reach * 0.999) <= 0.955
    assert np.mean(found <= reach * 1.001) >= 0.945
    assert effect(deltas).p == pytest.approx(np.mean(found >= abs(fmean(deltas)) / error), abs=0.01)


@pytest.mark.parametrize("deltas", [SKEWED, [1.0, -2.0, 3.5, 0.5, 2.5], [5.0, 6.0, 7.0, 9.0]])
def test_an_interval_and_its_p_are_those_of_scipys_resamples(deltas: list[float]) -> None:
    found = stats.bootstrap(
        (np.array(deltas),),
        lambda sample, axis: distances(deltas, sample),
        n_resamples=100_000,
        batch=10_000,
        method="percentile",
        rng=np.random.default_rng(5),
    ).bootstrap_distribution

    assert_from(found, deltas)


def test_an_interval_is_that_of_all_resamples_there_are() -> None:
    deltas = [1.0, -2.0, 3.5, 0.5, 2.5]

    assert_from(distances(deltas, np.array(list(product(deltas, repeat=5)))), deltas)


def test_with_many_normal_differences_it_is_students_interval() -> None:
    deltas = np.random.default_rng(1).normal(0.4, 2, 400)

    low, high = bounds(effect(deltas.tolist()))

    expected = stats.ttest_1samp(deltas, 0.0)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval()), abs=0.02)
    assert effect(deltas.tolist()).p == pytest.approx(expected.pvalue, abs=0.002)


@given(st.lists(st.floats(-20, 20).map(lambda x: round(x, 1)), min_size=4, max_size=12))
def test_the_interval_leaves_out_zero_exactly_where_p_keeps_the_level(deltas: list[float]) -> None:
    found = effect(deltas)

    if found.low is not None:
        low, high = bounds(found)
        assert (low > 0 or high < 0) == (found.p <= LEVEL)


@pytest.mark.parametrize(
    "deltas", [[0.0] * 8 + [2.0, 2.0], [1.0] * 7 + [-1.0], [1.0] * 4, [1.0] * 5 + [2.0], [0.0] * 9]
)
def test_where_nearly_all_are_alike_p_is_that_of_scipys_sign_flips(deltas: list[float]) -> None:
    expected = stats.permutation_test(
        (np.array(deltas), np.zeros(len(deltas))),
        lambda one, other, axis: np.mean(one - other, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )

    found = effect(deltas)

    assert (found.low, found.high) == (None, None)
    assert found.p == pytest.approx(expected.pvalue, abs=0.015)


@pytest.mark.parametrize(("deltas", "probes"), [([], 0), ([3.0], 1)])
def test_no_probe_and_one_probe_show_nothing(deltas: list[float], probes: int) -> None:
    found = effect(deltas)

    assert (found.probes, found.low, found.p, smallest(found)) == (probes, None, 1.0, None)
    assert found.delta == (3.0 if probes else None)


def test_rounding_is_no_spread() -> None:
    assert effect([0.1, 0.1, 0.1 + 1e-17, 0.1 + 2e-17]).spread == 0.0


def test_the_same_differences_show_the_same_each_time() -> None:
    assert effect(SKEWED) == effect(SKEWED)


# statsmodels.stats.multitest.multipletests(…, method="holm")
@pytest.mark.parametrize(
    ("ps", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.001, 0.2, 0.02, 0.02, 0.9], [0.005, 0.4, 0.08, 0.08, 0.9]),
        ([0.3], [0.3]),
        ([], []),
    ],
)
def test_holm_is_statsmodels(ps: list[float], expected: list[float]) -> None:
    assert holm(ps) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closure_of_bonferroni(ps: list[float]) -> None:
    """Marcus, Peritz and Gabriel, 1976: a hypothesis falls with all intersections it is in."""
    everyone = range(len(ps))
    sets = list(chain.from_iterable(combinations(everyone, n) for n in range(1, len(ps) + 1)))
    bonferroni = {each: min(1.0, len(each) * min(ps[i] for i in each)) for each in sets}

    closed = [max(p for each, p in bonferroni.items() if i in each) for i in everyone]

    assert holm(ps) == pytest.approx(closed)


# statsmodels.stats.power.TTestPower().solve_power(nobs=…, alpha=0.05 / …, power=0.8)
@pytest.mark.parametrize(
    ("probes", "comparisons", "expected", "within"),
    [
        (20, 1, 0.6604416544, 0.003),
        (21, 2, 0.7186323561, 0.004),
        (50, 1, 0.4041829997, 0.001),
        (101, 2, 0.3106880988, 0.001),
        (101, 3, 0.3266504157, 0.001),
        (5, 2, 2.0500088862, 0.04),
    ],
)
def test_the_smallest_difference_is_that_of_statsmodels(
    probes: int, comparisons: int, expected: float, within: float
) -> None:
    found = smallest(spread(probes, 3.0), comparisons)

    assert found == pytest.approx(3.0 * expected, rel=within)


@pytest.mark.parametrize("probes", [20, 101])
def test_the_smallest_difference_has_its_power(probes: int) -> None:
    found = smallest(spread(probes, 2.0))
    assert found is not None

    bound = stats.t.ppf(1 - LEVEL / 2, probes - 1)
    power = stats.nct.sf(bound, probes - 1, found * sqrt(probes) / 2.0)

    assert power == pytest.approx(POWER, abs=0.005)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 20, 101, 1000])
@pytest.mark.parametrize("p", [0.5, 0.8, 0.975, 0.99995])
def test_students_quantile_is_scipys(p: float, freedom: int) -> None:
    assert student(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-6, abs=1e-6)


SHAPES = {
    "normal": lambda chance, size: chance.normal(0, 3, size),
    "long-tailed": lambda chance, size: chance.standard_t(3, size),
    "skewed": lambda chance, size: chance.exponential(3, size) - 3,
    "half of them none": lambda chance, size: (
        chance.normal(0, 3, size) * chance.integers(0, 2, size)
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("probes", "tests", "most"), [(20, 300, 27), (60, 150, 16)])
def test_a_kernel_that_does_nothing_is_found_out_in_one_test_of_twenty(
    shape: str, probes: int, tests: int, most: int
) -> None:
    """More than `most` wrong ones have a chance below one in 300."""
    chance = np.random.default_rng(11)

    found = [effect(SHAPES[shape](chance, probes).tolist()) for _ in range(tests)]

    wrong = sum(each.p <= LEVEL for each in found)
    assert 1 <= wrong <= most
    assert sum(low <= 0 <= high for low, high in map(bounds, found)) == tests - wrong


def test_a_difference_of_the_smallest_size_is_found_in_four_of_five() -> None:
    chance, size = np.random.default_rng(12), smallest(spread(20, 3.0))
    assert size is not None

    found = [effect(chance.normal(size, 3.0, 20).tolist()).p <= LEVEL for _ in range(300)]

    assert 0.72 <= fmean(found) <= 0.88


def test_of_three_kernels_that_do_nothing_all_pass_for_that_in_nineteen_of_twenty() -> None:
    """They share a baseline, so their differences go together."""
    chance, wrong = np.random.default_rng(13), 0
    for _ in range(150):
        plain = chance.normal(20, 4, 20)
        ps = [effect((chance.normal(20, 4, 20) - plain).tolist()).p for _ in range(3)]
        wrong += min(holm(ps)) <= LEVEL

    assert wrong <= 16
