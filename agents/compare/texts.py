"""Generations with their texts, for people to judge which of two scorers sees it right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from agents.scorers import Scorer

if TYPE_CHECKING:
    from streams.replay import Views

_LARGEST = """
select generation from (
  (select generation, change from paired where change > 0
   order by change desc, generation limit $count)
  union all
  (select generation, change from paired where change < 0
   order by change, generation limit $count)
) order by abs(change) desc, generation"""

_TEXTS = """
select p.generation, p.phase, g.probe, g.model, g.prompt, g.response, p.a, p.b,
  one.signals as signals_a, two.signals as signals_b
from (select unnest($ids) as generation, unnest(range(len($ids))) as place) as wanted
join paired as p using (generation)
join generations as g on g.id = p.generation
join scores as one on one.generation = p.generation and one.scorer = $a
join scores as two on two.generation = p.generation and two.scorer = $b
order by place"""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One generation, as two scorers see it."""

    generation: str
    phase: str
    probe: str
    model: str
    prompt: str
    response: str
    a: float
    b: float
    signals_a: dict[str, float]
    signals_b: dict[str, float]


def largest(views: "Views", count: int) -> list[str]:
    """The generations that the second scorer ranks most above the first, and most below."""
    return [row["generation"] for row in views.rows(_LARGEST, {"count": count})]


def texts(views: "Views", a: Scorer, b: Scorer, generations: Sequence[str]) -> list[Compared]:
    """These generations, in their order."""
    values = {"ids": list(generations), "a": a.label, "b": b.label}
    return msgspec.convert(views.rows(_TEXTS, values), list[Compared])
