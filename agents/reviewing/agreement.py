"""Agreement: Cohen's kappa of reviewers with scorers, and of reviewers with each other.

What a reviewer said is the last thing, of each generation, that was not withdrawn. What a scorer
says is whether its score reaches a threshold: that of the phase's gate, for the scorer that it was
set for. Other scorers have none, and are held against the threshold at which they would agree
best with these very reviews, which flatters them: such a row has `best` for its threshold's
origin, and no interval. Fewer than `LEAST` reviews are not enough to choose one by.

A gate rejects what is below its threshold, so what is on hold never disagrees with it, and kappa is
0 by construction: only reviews of what a gate rejected can tell.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import sqrt
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from streams.replay import Views

LEAST = 10
"""Of fewer generations neither an interval nor a threshold is said."""

_BY_SCORER = """
select
  opinions.reviewer, scored.scorer, opinions.verdict = 'accepted' as said, scored.score,
  case when policies.scorer = scored.scorer then policies.threshold end as threshold
from opinions
join scored_generations as scored using (generation)
left join policies on policies.phase = scored.phase
where scored.phase = coalesce($phase, scored.phase) and isfinite(scored.score)
order by opinions.reviewer, scored.scorer"""

_BETWEEN = """
select
  one.reviewer, other.reviewer as other,
  count(*) filter (one.verdict = 'accepted' and other.verdict = 'accepted') as both,
  count(*) filter (one.verdict = 'accepted' and other.verdict <> 'accepted') as first,
  count(*) filter (one.verdict <> 'accepted' and other.verdict = 'accepted') as second,
  count(*) filter (one.verdict <> 'accepted' and other.verdict <> 'accepted') as neither
from opinions as one
join opinions as other using (generation)
where one.reviewer < other.reviewer and one.phase = coalesce($phase, one.phase)
group by all order by all"""


class Counts(NamedTuple):
    """How often two judges said what of the same generations."""

    both: int
    """Both accept."""
    first: int
    """The first alone does."""
    second: int
    """The second alone does."""
    neither: int


class Kappa(NamedTuple):
    """Agreement beyond what chance alone would bring."""

    value: float | None
    """From -1 to 1; none where both say one and the same of everything, or of nothing."""
    low: float | None
    """Where the 95 % interval begins; none for fewer than `LEAST`, or where it has no width."""
    high: float | None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer beside a scorer version, or beside another reviewer."""

    reviewer: str
    other: str
    """A scorer, as `lek@2`, or a reviewer."""
    kind: Literal["scorer", "reviewer"]
    origin: Literal["gate", "best"] | None
    """Whence the threshold: the phases' gates, or the best one for these very reviews."""
    threshold: float | None
    """The one threshold; none between reviewers, or where gates have several."""
    generations: int
    both: int
    first: int
    second: int
    neither: int
    kappa: float | None
    low: float | None
    high: float | None


class _Said(NamedTuple):
    reviewer: str
    scorer: str
    said: bool
    score: float
    threshold: float | None


def agreements(views: "Views", phase: str | None = None) -> list[Agreement]:
    """Each reviewer with each scorer version, then reviewers with each other."""
    said = [_Said(**row) for row in views.rows(_BY_SCORER, {"phase": phase})]
    found: list[Agreement] = []
    for (reviewer, scorer), group in groupby(said, lambda each: (each.reviewer, each.scorer)):
        found += _with_scorer(reviewer, scorer, list(group))
    for row in views.rows(_BETWEEN, {"phase": phase}):
        reviewer, other = row.pop("reviewer"), row.pop("other")
        found.append(_agreement(reviewer, other, Counts(**row)))
    return found


def kappa(counts: Counts) -> Kappa:
    """Cohen's kappa, with the large-sample interval of Fleiss, Cohen and Everitt (1969)."""
    total = sum(counts)
    if not total:
        return Kappa(None, None, None)
    both, first, second, neither = (count / total for count in counts)
    one, other = both + first, both + second
    chance = one * other + (1 - one) * (1 - other)
    if chance == 1:
        return Kappa(None, None, None)
    value = (both + neither - chance) / (1 - chance)
    # The delta method: of each cell its share, and how much it pulls kappa.
    agreeing = both * (1 - (one + other) * (1 - value)) ** 2
    agreeing += neither * (1 - (2 - one - other) * (1 - value)) ** 2
    crossing = first * (other + 1 - one) ** 2 + second * (one + 1 - other) ** 2
    spread = agreeing + (1 - value) ** 2 * crossing - (value - chance * (1 - value)) ** 2
    error = sqrt(max(0.0, spread) / total) / (1 - chance)
    if total < LEAST or error < 1e-9:
        return Kappa(value, None, None)
    return Kappa(value, max(-1.0, value - _Z * error), min(1.0, value + _Z * error))


def best(said: Sequence[tuple[bool, float]]) -> float | None:
    """The threshold at which a score agrees best with what was said; the lowest of equals.

    None where no threshold agrees better than chance.
    """
    accepted, total = sum(yes for yes, _ in said), len(said)
    above = above_accepted = 0
    found: tuple[float, float | None] = (0.0, None)
    for score, group in groupby(sorted(said, key=itemgetter(1), reverse=True), itemgetter(1)):
        reached = [yes for yes, _ in group]
        above, above_accepted = above + len(reached), above_accepted + sum(reached)
        first, second = accepted - above_accepted, above - above_accepted
        counts = Counts(above_accepted, first, second, total - accepted - second)
        if (value := kappa(counts).value) is not None and value > 0 and value >= found[0]:
            found = (value, score)
    return found[1]


_Z = 1.959963984540054  # the 97.5th percentile of the normal distribution


def _with_scorer(reviewer: str, scorer: str, said: list[_Said]) -> Iterator[Agreement]:
    gated = [each for each in said if each.threshold is not None]
    if gated:
        counts = _counts((each.said, each.score >= (each.threshold or 0)) for each in gated)
        bars = {each.threshold for each in gated}
        bar = bars.pop() if len(bars) == 1 else None
        yield _agreement(reviewer, scorer, counts, origin="gate", threshold=bar)
    free = [(each.said, each.score) for each in said if each.threshold is None]
    if len(free) >= LEAST and (bar := best(free)) is not None:
        counts = _counts((yes, score >= bar) for yes, score in free)
        yield _agreement(reviewer, scorer, counts, origin="best", threshold=bar)


def _agreement(
    reviewer: str,
    other: str,
    counts: Counts,
    *,
    origin: Literal["gate", "best"] | None = None,
    threshold: float | None = None,
) -> Agreement:
    found = kappa(counts)
    chosen = origin == "best"  # an interval would pass over that it was chosen
    return Agreement(
        reviewer=reviewer,
        other=other,
        kind="scorer" if origin else "reviewer",
        origin=origin,
        threshold=threshold,
        generations=sum(counts),
        **counts._asdict(),
        kappa=found.value,
        low=None if chosen else found.low,
        high=None if chosen else found.high,
    )


def _counts(pairs: Iterable[tuple[bool, bool]]) -> Counts:
    found = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pair in pairs:
        found[pair] += 1
    return Counts(*found.values())
