"""What is averaged, paired and counted; a probe counts once, however often it was asked."""

import random
from collections.abc import Iterable
from statistics import fmean, stdev

import pytest

from agents.ab.comparing import Answer, Line, compared
from agents.ab.statistics import effect, holm

# Differences of six probes with four prompts each, and what statsmodels says of them:
# OLS(y, 1).fit(cov_type="cluster", cov_kwds={"groups": probe}), its parameter and standard error.
CLUSTERS = (
    (1.1, 2.3, 0.5, 0.4),
    (2.1, 2.0, 1.7, 0.7),
    (0.4, 1.1, -0.9, 0.0),
    (-2.7, -2.1, -2.6, -1.0),
    (-1.2, 0.4, 0.2, -0.1),
    (-3.5, -1.5, -1.0, -0.9),
)
MEAN, ERROR = -0.1916666667, 0.6059313309


def answer(original: str, score: float, condition: str = "baseline", **other: str) -> Answer:
    fields = {"probe": original, "category": "ethics", "outcome": "ok"} | other
    return Answer(condition=condition, original=original, score=score, **fields)


def both(original: str, before: float, after: float, **other: str) -> list[Answer]:
    return [answer(original, before, **other), answer(original, after, "json", **other)]


def lines(answers: Iterable[Answer], *kernels: str) -> list[Line]:
    return compared(list(answers), ["baseline", *(kernels or ("json",))])


def line(found: Iterable[Line], condition: str = "json", **wanted: str) -> Line:
    sought = {"level": "all", "counted": "all", "condition": condition} | wanted
    (one,) = (
        each
        for each in found
        if all(getattr(each, name) == value for name, value in sought.items())
    )
    return one


def test_the_prompts_of_a_probe_are_one_cluster() -> None:
    answers = [
        each
        for number, deltas in enumerate(CLUSTERS)
        for prompt, delta in enumerate(deltas)
        for each in both(f"P{number}", 20.0, 20.0 + delta, probe=f"P{number}_{prompt}")
    ]

    found = line(lines(answers))

    assert found.probes == 6
    assert found.delta == pytest.approx(MEAN)
    means = [fmean(each) for each in CLUSTERS]
    assert stdev(means) / 6**0.5 == pytest.approx(ERROR)
    assert (found.low, found.p) == pytest.approx((effect(means).low, effect(means).p), rel=0.05)


def test_asking_the_same_more_often_is_no_more_evidence() -> None:
    chance = random.Random(3)
    once = [
        each for n in range(12) for each in both(f"P{n}", chance.gauss(20, 4), chance.gauss(21, 4))
    ]
    often = [each._replace(probe=f"{each.probe}{kind}") for each in once for kind in "abcc"]

    few, many = line(lines(once)), line(lines(often))

    assert (many.answers, few.answers) == (48, 12)
    for name in ("probes", "improved", "regressed", "unchanged", "verdict"):
        assert getattr(many, name) == getattr(few, name)
    assert [many.delta, many.low, many.high, many.p] == pytest.approx(
        [few.delta, few.low, few.high, few.p]
    )


def test_each_probe_counts_once_in_a_mean() -> None:
    answers = [*both("P1", 10, 12), *both("P1", 10, 14), *both("P2", 20, 20)]

    found = line(lines(answers))

    assert (found.mean, found.delta) == ((13 + 20) / 2, 1.5)


def test_a_difference_is_taken_between_the_same_prompts() -> None:
    """A rephrasing that scores low everywhere, and is missing under the kernel, is no gain."""
    answers = [*both("P1", 10, 10), answer("P1", -50, probe="P1_R_PERS")]

    found = line(lines(answers), level="probe")

    assert (found.delta, found.verdict) == (0.0, "unchanged")


def test_what_was_not_answered_both_ways_is_not_compared() -> None:
    found = lines([answer("P1", 10), answer("P2", 30, "json")])

    assert (line(found).mean, line(found).probes, line(found).delta) == (30, 0, None)
    assert line(found).verdict == "too few"
    assert line(found, level="probe", name="P1").verdict is None


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (19.6, 20.1, "unchanged"),  # 20.1 - 19.6 is 0.5 and a little more
        (19.6, 20.11, "improved"),
        (20.1, 19.6, "unchanged"),
        (20.11, 19.6, "regressed"),
        (20.0, 20.0, "unchanged"),
    ],
)
def test_a_probe_is_improved_by_more_than_half_a_point(
    before: float, after: float, verdict: str
) -> None:
    found = lines(both("P1", before, after))

    one, over_all = line(found, level="probe"), line(found)
    assert one.verdict == verdict
    assert {"improved": one.improved, "regressed": one.regressed, "unchanged": one.unchanged} == (
        {"improved": 0, "regressed": 0, "unchanged": 0} | {verdict: 1}
    )
    assert (over_all.improved, over_all.regressed) == (one.improved, one.regressed)


def test_failed_answers_are_in_one_table_and_not_in_the_other() -> None:
    answers = [each for n in range(8) for each in both(f"P{n}", 20 + n % 3, 23 + n % 2)]
    answers.append(answer("P8", 31))
    answers.append(answer("P8", -19, "json", outcome="token_leak"))

    found = lines(answers)
    every, ok = line(found), line(found, counted="ok")

    assert (every.answers, every.failed, every.probes) == (9, 1, 9)
    assert (ok.answers, ok.failed, ok.probes) == (9, 1, 8)
    assert every.delta is not None
    assert ok.delta is not None
    assert every.delta < 0 < ok.delta
    assert (every.verdict, ok.verdict) == ("no evidence", "better")


@pytest.mark.parametrize(("gain", "verdict"), [(3, "better"), (-3, "worse"), (0, "no evidence")])
def test_the_verdict_says_which_way(gain: float, verdict: str) -> None:
    answers = [each for n in range(20) for each in both(f"P{n}", 20, 20 + gain + (n % 5 - 2) / 4)]

    assert line(lines(answers)).verdict == verdict


def test_kernels_are_corrected_for_each_other() -> None:
    chance = random.Random(2)
    kernels = ("a", "b", "c")
    answers = [
        answer(f"P{n}", chance.gauss(20 + at, 3), name)
        for n in range(20)
        for at, name in enumerate(("baseline", *kernels))
    ]

    found = [line(lines(answers, *kernels), name) for name in kernels]

    ps = [each.p for each in found if each.p is not None]
    assert [each.p_holm for each in found] == holm(ps)
    alone = line(lines([a for a in answers if a.condition in ("baseline", "c")], "c"), "c")
    assert alone.p == alone.p_holm == found[2].p
    assert alone.smallest is not None
    assert found[2].smallest is not None
    assert alone.smallest < found[2].smallest


def test_a_category_of_few_probes_is_told_and_takes_nothing_from_the_others() -> None:
    chance = random.Random(4)
    many = [
        each
        for n in range(9)
        for each in both(f"P{n}", chance.gauss(20, 1), chance.gauss(22, 1), category="law")
    ]
    few = [each for n in range(3) for each in both(f"Q{n}", 20, 25 + n, category="health")]

    found = lines([*many, *few])
    law, health = (line(found, level="category", name=name) for name in ("law", "health"))

    assert (health.delta, health.p, health.verdict) == (6.0, None, "too few")
    assert law.p == law.p_holm
    assert law.verdict == "better"


def test_no_answers_make_a_table_of_nothing() -> None:
    assert [(each.level, each.mean) for each in lines([])] == [("all", None)] * 4
