"""Compares answers: each kernel against the baseline, by probe, by category and over all.

A probe stands for itself and its rephrasings: within it, samples are averaged for each prompt, then
prompts; a difference is taken only between the same prompts. Each probe counts once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, Literal, NamedTuple

import msgspec

from agents.ab import BASELINE
from agents.ab.statistics import LEAST, LEVEL, Effect, effect, holm, smallest

BAND = 0.5
"""A probe is improved or regressed only by more than this; the predecessor's bounds."""

Level = Literal["probe", "category", "all"]
Counted = Literal["all", "ok"]
_COUNTED: tuple[Counted, ...] = ("all", "ok")
Verdict = Literal["better", "worse", "no evidence", "too few", "improved", "regressed", "unchanged"]


class Answer(NamedTuple):
    """One scored answer."""

    condition: str
    original: str
    probe: str
    category: str
    outcome: str
    score: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One condition, over a probe, a category, or all."""

    level: Level
    """What is summed up."""

    name: str
    """The probe's id or the category; empty for all."""

    counted: Counted
    """All answers, or without those that failed: `ok` alone."""

    condition: str
    """`baseline`, or the kernel's name."""

    answers: int
    """How many there are under this condition, failed ones too."""

    failed: int
    """How many of them ended otherwise than `ok`."""

    mean: float | None
    """Over probes; none without an answer."""

    probes: int
    """How many were answered under this condition and, for a kernel, under the baseline too."""

    delta: float | None = None
    """The mean difference from the baseline; none for the baseline itself."""

    low: float | None = None
    """Where its 95 % interval begins."""

    high: float | None = None
    """Where it ends."""

    p: float | None = None
    """Two-sided; none for a single probe, and where there are too few of them for a test."""

    p_holm: float | None = None
    """Corrected over the kernels, and over the categories where these are compared."""

    improved: int = 0
    """Probes that gained more than half a point."""

    regressed: int = 0
    """Probes that lost more than half a point."""

    unchanged: int = 0
    """Probes between the two."""

    smallest: float | None = None
    """The difference that so many probes would show in four of five tests."""

    verdict: Verdict | None = None
    """What follows for the kernel."""


_Cells = Mapping[str, Mapping[str, Mapping[str, float]]]
"""The mean score of each prompt, by condition and original."""

_Groups = Mapping[str, Sequence[str]]
"""The originals of each name: of a category, of a probe, or all."""


def compared(answers: Sequence[Answer], conditions: Sequence[str]) -> list[Line]:
    """Every line: over all, then by category, then by probe; each with and without failed answers.

    Args:
        answers: Scored ones, of any condition.
        conditions: The baseline first.
    """
    tables = [
        _table(answers, conditions, level, groups, counted)
        for level, groups in _groups(answers).items()
        for counted in _COUNTED
    ]
    return [line for table in tables for line in table]


def _groups(answers: Iterable[Answer]) -> dict[Level, _Groups]:
    categories = {each.original: each.category for each in answers}
    by_category: dict[str, list[str]] = defaultdict(list)
    for original in sorted(categories):
        by_category[categories[original]].append(original)
    return {
        "all": {"": sorted(categories)},
        "category": dict(sorted(by_category.items())),
        "probe": {original: [original] for original in sorted(categories)},
    }


def _table(
    answers: Sequence[Answer],
    conditions: Sequence[str],
    level: Level,
    groups: _Groups,
    counted: Counted,
) -> Iterator[Line]:
    """The lines of one level. Holm's family is the table: kernels, and categories if there are."""
    cells = _cells(each for each in answers if counted == "all" or each.outcome == "ok")
    found = {
        (name, condition): _deltas(cells, originals, condition)
        for name, originals in groups.items()
        for condition in conditions
        if condition != BASELINE
    }
    shown = _judged(found) if level != "probe" else {at: _alone(each) for at, each in found.items()}
    ends = _ends(answers, level)
    for name, originals in groups.items():
        for condition in conditions:
            own = [fmean(each.values()) for each in _of(cells, originals, condition)]
            ended = ends[name, condition]
            line = Line(
                level=level,
                name=name,
                counted=counted,
                condition=condition,
                answers=len(ended),
                failed=sum(outcome != "ok" for outcome in ended),
                mean=fmean(own) if own else None,
                probes=len(own),
            )
            changes = shown.get((name, condition), {})
            yield msgspec.structs.replace(line, **changes)


def _cells(answers: Iterable[Answer]) -> _Cells:
    scores: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for each in answers:
        scores[each.condition, each.original, each.probe].append(each.score)
    cells: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for (condition, original, probe), found in scores.items():
        cells[condition][original][probe] = fmean(found)
    return cells


def _of(cells: _Cells, originals: Iterable[str], condition: str) -> list[Mapping[str, float]]:
    """What was answered under a condition, by original."""
    there = cells.get(condition, {})
    return [there[original] for original in originals if original in there]


def _deltas(cells: _Cells, originals: Iterable[str], condition: str) -> list[float]:
    """By how much each probe differs from the baseline, over the prompts answered both ways."""
    plain, given = cells.get(BASELINE, {}), cells.get(condition, {})
    deltas = []
    for original in originals:
        before, after = plain.get(original, {}), given.get(original, {})
        if shared := sorted(before.keys() & after.keys()):
            # Rounded, since 20.1 - 19.6 is a little over half a point.
            deltas.append(round(fmean(after[probe] - before[probe] for probe in shared), 9))
    return deltas


def _ends(answers: Iterable[Answer], level: Level) -> Mapping[tuple[str, str], list[str]]:
    """How the answers of each name and condition ended."""
    ends: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in answers:
        name = {"all": "", "category": each.category, "probe": each.original}[level]
        ends[name, each.condition].append(each.outcome)
    return ends


def _judged(found: Mapping[tuple[str, str], list[float]]) -> dict[tuple[str, str], dict[str, Any]]:
    """What is said of each kernel, all of them together keeping the level.

    What has too few probes for a test is told, but takes nothing from the others' level.
    """
    effects = {at: effect(deltas) for at, deltas in found.items()}
    tested = [at for at, each in effects.items() if each.probes >= LEAST]
    adjusted = dict(zip(tested, holm([effects[at].p for at in tested]), strict=True))
    return {
        at: _counts(found[at]) | _changes(each, adjusted.get(at), len(tested))
        for at, each in effects.items()
    }


def _changes(found: Effect, p_holm: float | None, comparisons: int) -> dict[str, Any]:
    return {
        "probes": found.probes,
        "delta": found.delta,
        "low": found.low,
        "high": found.high,
        "p": None if p_holm is None else found.p,
        "p_holm": p_holm,
        "smallest": None if p_holm is None else smallest(found, comparisons),
        "verdict": _verdict(found.delta, p_holm),
    }


def _alone(deltas: Sequence[float]) -> dict[str, Any]:
    """What is said of a single probe: there is nothing to resample."""
    if not deltas:
        return {"probes": 0}
    (delta,) = deltas
    counts = _counts(deltas)
    return {**counts, "probes": 1, "delta": delta, "verdict": max(counts, key=counts.__getitem__)}


def _counts(deltas: Sequence[float]) -> dict[str, int]:
    improved, regressed = sum(d > BAND for d in deltas), sum(d < -BAND for d in deltas)
    unchanged = len(deltas) - improved - regressed
    return {"improved": improved, "regressed": regressed, "unchanged": unchanged}


def _verdict(delta: float | None, p: float | None) -> Verdict:
    if delta is None or p is None:
        return "too few"
    if p > LEVEL:
        return "no evidence"
    return "better" if delta > 0 else "worse"
