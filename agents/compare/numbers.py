"""How the scores of two scorers lie: spread, ranks, signals at their caps, agreement with judges.

Rank correlation is Spearman's: Pearson's of the ranks, equal scores at the mean of their ranks.
"""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import msgspec

from agents.scorers import Scorer

if TYPE_CHECKING:
    from streams.replay import Views

FEWEST = 10
"""Generations that two scorers must share before a correlation is said of them."""

_SPREAD = """
select avg({s}) as mean, coalesce(stddev_pop({s}), 0) as sd, min({s}) as least,
  quantile_cont({s}, 0.25) as lower, median({s}) as median, quantile_cont({s}, 0.75) as upper,
  max({s}) as most, count(distinct {s}) as distinct_scores
from paired"""

_RANKED = """
select corr(x_rank, y_rank) as correlation, count(*) as generations from (
  select
    rank() over (order by x) + (count(*) over (partition by x) - 1) / 2 as x_rank,
    rank() over (order by y) + (count(*) over (partition by y) - 1) / 2 as y_rank
  from ({source})
)"""

_JUDGES = """
select scorer from scores semi join paired using (generation)
where starts_with(scorer, 'recorded@') group by scorer
having count(distinct generation) >= ? order by scorer"""
_JUDGED = """
select {s} as x, judged.score as y from paired
join (select generation, score from scores where scorer = $judge) as judged using (generation)"""

_SIGNALS = """
select signal, avg(value) as mean,
  count(*) filter (value <> coalesce(base, 0)) / count(*) as fires,
  case when any_value("full") is not null
    then count(*) filter (value >= "full") / count(*) end as at_cap
from (
  select unnest(map_keys(signals)) as signal, unnest(map_values(signals)) as value
  from scores semi join paired using (generation)
  where scorer = $scorer and definition = $definition
)
left join (
  select unnest($names) as signal, unnest($bases) as base, unnest($fulls) as "full"
) using (signal)
group by signal"""


_DENSITY = """
select least(floor((a - $a) / $a_step), $last)::int as x,
  least(floor((b - $b) / $b_step), $last)::int as y, count(*) as n
from paired group by all"""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How one scorer's scores lie, in its own points."""

    scorer: str
    mean: float
    sd: float
    least: float
    lower: float
    """A quarter of the scores is no higher."""
    median: float
    upper: float
    """A quarter of the scores is no lower."""
    most: float
    distinct_scores: int
    """How many different scores there are: few tell few answers apart."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal of one scorer."""

    scorer: str
    signal: str
    mean: float
    """Of the counts."""
    fires: float
    """The share of generations in which anything was counted, from 0 to 1."""
    at_cap: float | None
    """The share of generations in which more hits would add nothing; none without a cap."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How two scorers rank what somebody else judged."""

    judge: str
    """As `recorded@toxigen-kindness`: imported with the history."""
    generations: int
    a: float | None
    """Rank correlation of the first with the judge; none where all scores are equal."""
    b: float | None


class Density(msgspec.Struct, frozen=True, kw_only=True):
    """How many generations have which pair of scores, in cells of equal size."""

    a: list[float]
    """Where the cells begin, in points of the first scorer, and where the last one ends."""
    b: list[float]
    """The same of the second."""
    counts: list[list[int]]
    """By the cell of `a`, then of `b`."""


def density(views: "Views", of: Sequence[Spread], cells: int = 60) -> Density:
    """What a picture of both scores needs, whatever the number of generations."""
    (a, a_step), (b, b_step) = ((s.least, (s.most - s.least) / cells or 1.0) for s in of)
    counts = [[0] * cells for _ in range(cells)]
    values = {"a": a, "a_step": a_step, "b": b, "b_step": b_step, "last": cells - 1}
    for row in views.rows(_DENSITY, values):
        counts[row["x"]][row["y"]] = row["n"]
    edges = range(cells + 1)
    return Density(
        a=[a + a_step * n for n in edges], b=[b + b_step * n for n in edges], counts=counts
    )


def spreads(views: "Views", a: Scorer, b: Scorer) -> list[Spread]:
    """Of both scorers."""
    return [
        msgspec.convert({"scorer": one.label, **views.rows(_SPREAD.format(s=name))[0]}, Spread)
        for name, one in (("a", a), ("b", b))
    ]


def rank_correlation(views: "Views") -> float | None:
    """Of the two scorers; none where one gives all the same score."""
    return _correlation(views, "select a as x, b as y from paired")[0]


def agreements(views: "Views") -> list[Agreement]:
    """With everyone whose scores came with the history and concern enough of the generations."""
    found = []
    for row in views.rows(_JUDGES, [FEWEST]):
        values = {"judge": row["scorer"]}
        (a, count), (b, _) = (
            _correlation(views, _JUDGED.format(s=name), values) for name in ("a", "b")
        )
        found.append(Agreement(judge=row["scorer"], generations=count, a=a, b=b))
    return found


def signals(views: "Views", by: Scorer) -> list[Signal]:
    """Each signal of a scorer, in the definition's order where that has one."""
    told = _told(by)
    values = {
        "scorer": by.label,
        "definition": by.definition,
        "names": list(told),
        "bases": [float(each.get("base", 0)) for each in told.values()],
        "fulls": [_full(each) for each in told.values()],
    }
    found = {row["signal"]: row for row in views.rows(_SIGNALS, values)}
    order = [*(name for name in told if name in found), *sorted(found.keys() - told.keys())]
    return [msgspec.convert({"scorer": by.label, **found[name]}, Signal) for name in order]


def _told(by: Scorer) -> dict[str, dict[str, Any]]:
    """What a table says of each signal; a scorer in Python says nothing."""
    found = by.source.get("signals")
    return found if isinstance(found, dict) else {}


def _full(signal: dict[str, Any]) -> float | None:
    """The count from which on more of it adds nothing."""
    cap, weight, most = signal.get("cap"), signal["weight"], signal.get("most")
    bounds = [most] if most is not None else []
    if cap is not None and weight > 0:
        bounds.append(cap / weight)
    return min(bounds, default=None)


def _correlation(
    views: "Views", source: str, values: dict[str, Any] | None = None
) -> tuple[float | None, int]:
    """Of the columns `x` and `y`, and over how many rows."""
    (found,) = views.rows(_RANKED.format(source=source), values or {})
    rho = found["correlation"]
    return (None if rho is None or isnan(rho) else rho), found["generations"]
