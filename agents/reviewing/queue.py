"""The queue: generations to review, those first of which there is most doubt.

The sort key is `doubt`, of the view `doubts`: dispute less distance. *Dispute* is how far the
scorers' percentile ranks of a generation lie apart, among the generations of its phase, from 0,
all rank it alike, or only one has scored it, to 1. *Distance* is how far its rank by the gate's
scorer lies from the threshold's rank, on the same scale; none where the phase has no threshold.
Equal doubt goes by id, so that two reviewers see one order.
"""

from typing import TYPE_CHECKING, Literal

import msgspec

from schemas.decision import Verdict

if TYPE_CHECKING:
    from streams.replay import Views

Order = Literal["doubt", "near", "disputed", "log"]

_ORDERS: dict[Order, str] = {
    "doubt": "doubt desc, generation",
    "near": "distance nulls last, generation",
    "disputed": "dispute desc, generation",
    "log": '"partition", "offset"',
}

_WAITING = """
select generation, row_number() over (order by {order}) as place
from doubts join generations on generations.id = generation
where doubts.phase = coalesce($phase, doubts.phase)
order by place limit $limit"""
_NAMED = """
select unnest($generations) as generation, generate_subscripts($generations, 1) as place"""

_CASES = """
with
chosen as ({chosen}),
gated as (
  select generation, policy, arg_max(id, "offset") as decision from decisions
  where step = 'gate' and generation in (select generation from chosen)
  group by generation, policy
),
scored as (
  select generation, map(list(scorer order by scorer), list(score order by scorer)) as scores
  from scored_generations where generation in (select generation from chosen)
  group by generation
)
select
  generations.id as generation,
  generations.run,
  generations.phase,
  generations.probe,
  generations.model,
  generations.sample,
  generations.outcome,
  coalesce(gated.decision, generations.id) as cause,
  verdicts.scorer,
  policies.threshold,
  coalesce(scored.scores, map()) as scores,
  doubts.distance,
  doubts.dispute,
  verdicts.verdict,
  verdicts.rule,
  verdicts.reason
from chosen
join generations on generations.id = chosen.generation
left join verdicts on verdicts.generation = generations.id
left join policies on policies.phase = generations.phase
left join gated on gated.generation = generations.id and gated.policy = verdicts.policy
left join scored on scored.generation = generations.id
left join doubts on doubts.generation = generations.id
order by chosen.place"""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A generation as a reviewer gets it, its text aside."""

    generation: str
    run: str | None
    phase: str
    probe: str
    model: str
    sample: int
    outcome: str

    cause: str
    """The gate's decision on it under the policy of now, or the generation itself."""

    scorer: str | None
    """The gate's; none where no phase of now judges it."""

    threshold: float | None
    scores: dict[str, float]
    """By each scorer that has scored it, the newest."""

    distance: float | None
    """From the threshold, in shares of the phase's generations; only of what is on hold."""

    dispute: float | None
    """Between scorers, the same way."""

    verdict: Verdict | Literal["pending"] | None
    """As in the view `verdicts`; none where no phase of now judges it."""

    rule: str | None
    reason: str | None


def waiting(
    views: "Views", *, phase: str | None = None, order: Order = "doubt", limit: int | None = None
) -> list[Case]:
    """What is on hold, in the order in which it is to be reviewed."""
    chosen = _WAITING.format(order=_ORDERS[order])
    return _cases(views, chosen, {"phase": phase, "limit": limit})


def named(views: "Views", generations: list[str]) -> list[Case]:
    """These generations, on hold or not, in the order given; those not on the log are left out."""
    return _cases(views, _NAMED, {"generations": generations})


def _cases(views: "Views", chosen: str, values: dict[str, object]) -> list[Case]:
    return msgspec.convert(views.rows(_CASES.format(chosen=chosen), values), list[Case])
