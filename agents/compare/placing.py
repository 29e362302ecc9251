"""Generations decided on two sides, by two scorers or two gates, into a table of the views.

All is looked at that decides: the gate's rules, dedup, what a person reviewed, the best of a
probe. Nothing is written to the log.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agents.compare import similar
from agents.contamination import HeldOut
from agents.kernels import Kernels
from agents.rules import findings, fingerprint, passes, verdict
from streams.curriculum import Gate
from streams.log.door import Store

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 1000  # texts in memory

_TEXTS = """
select generation, g.run, probe, prompt, response, paired.outcome, error, a, b from paired
join generations as g on g.id = paired.generation
where paired.phase = $phase"""
# Which would pass by one of the two: of the others the text need not be read.
_LIKELY = f"""{_TEXTS} and (
  (list_contains($outcomes_a, paired.outcome) and ($least_a is null or a >= $least_a))
  or (list_contains($outcomes_b, paired.outcome) and ($least_b is null or b >= $least_b))
)"""

_LOOKED = """phase varchar, generation varchar, probe varchar, mark varchar,
  rules_a varchar[], rules_b varchar[], held_a boolean, held_b boolean,
  best_a integer, best_b integer"""

# Decided as `verdicts` does it, for both sides by the same words.
_PLACED = """
create or replace table placed as
with
reviewed as (
  select generation, arg_max(verdict, "offset") as review from opinions group by generation
),
sides as (
  select looked.phase, generation, probe, mark, 'a' as side, a as score, rules_a as rules,
    held_a as held, best_a as best
  from looked join paired using (generation)
  union all
  select looked.phase, generation, probe, mark, 'b' as side, b as score, rules_b as rules,
    held_b as held, best_b as best
  from looked join paired using (generation)
),
-- Of equal and of similar texts: is there a better one?
linked as (
  select distinct phase, side, mark, mark as other from sides
  union all
  select phase, side, mark, other from alike
),
bests as (
  select phase, side, mark as other, min({below: -score, generation: generation}) as top
  from sides
  where len(rules) = 0
  group by phase, side, mark
),
rivals as (
  select phase, side, mark, min(top) as top
  from linked join bests using (phase, side, other)
  group by phase, side, mark
),
kept as (
  select sides.*,
    if(top < {below: -score, generation: generation}, top.generation, generation) as kept
  from sides left join rivals using (phase, side, mark)
),
judged as (
  select kept.*, case
    when len(rules) > 0 then 'gate'
    when kept <> generation then 'duplicate'
    when review = 'rejected' then 'review'
    when held and review is null then 'held'
    else 'accepted'
  end as decisive
  from kept left join reviewed using (generation)
),
ranked as (
  select *, row_number() over (
    partition by side, phase, probe order by decisive <> 'accepted', -score, generation
  ) as place
  from judged
),
chosen as (
  select * replace (if(decisive = 'accepted' and place > best, 'best', decisive) as decisive)
  from ranked
)
select
  one.phase, generation, one.score as a, two.score as b, change,
  one.rules as rules_a, two.rules as rules_b, one.kept as kept_a, two.kept as kept_b,
  one.decisive as decisive_a, two.decisive as decisive_b,
  len(one.rules) = 0 as passes_a, len(two.rules) = 0 as passes_b,
  one.decisive = 'accepted' as in_a, two.decisive = 'accepted' as in_b
from chosen as one
join chosen as two using (generation)
join paired using (generation)
where one.side = 'a' and two.side = 'b'"""

Gates = tuple[Gate, Gate]
"""What the scores `a` are held against, and what the scores `b`."""


class Looked(NamedTuple):
    """A generation, with what both sides score it."""

    generation: str
    run: str
    probe: str
    prompt: str
    response: str
    outcome: str
    error: str | None
    a: float
    b: float


def place(
    store: Store,
    views: "Views",
    gates: Mapping[str, Gates],
    held_out: HeldOut,
    *,
    every: bool = False,
) -> None:
    """Make the table `placed` of `paired`.

    Args:
        store: Where the kernels are looked up.
        views: The same log, with the table `paired`.
        gates: By phase.
        held_out: The probes that nothing may be trained on.
        every: Also what passes on neither side.
    """
    kernels = Kernels(store)
    views.db.execute(f"create or replace table looked ({_LOOKED})")
    similar.begin(views)
    for phase, two in gates.items():
        found = views.db.cursor().execute(*_asked(phase, two, every=every))
        while batch := [Looked(*row) for row in found.fetchmany(_AT_ONCE)]:
            rows = [_decided(phase, row, two, kernels.named(row.run), held_out) for row in batch]
            _insert(views, rows)
        for side, gate in zip("ab", two, strict=True):
            similar.add(views, phase, side, gate.duplicate)
    views.db.execute(_PLACED)


def _asked(phase: str, gates: Gates, *, every: bool) -> tuple[str, dict[str, Any]]:
    if every:
        return _TEXTS, {"phase": phase}
    bounds: dict[str, Any] = {"phase": phase}
    for side, gate in zip("ab", gates, strict=True):
        bounds |= {f"outcomes_{side}": list(gate.outcomes), f"least_{side}": gate.threshold}
    return _LIKELY, bounds


def _decided(
    phase: str, row: Looked, gates: Gates, kernels: dict[str, str], held_out: HeldOut
) -> tuple[object, ...]:
    """What the rules say of a generation on both sides, as a row of `looked`."""
    a, b = gates
    rules = [found.rule for found in findings(row, row.a, a, kernels, held_out)]
    if _reads_alike(a, b):  # texts are long to look at, scores are not
        others = [rule for rule in rules if rule != "threshold"]
        others += [] if passes(row.b, b) else ["threshold"]
    else:
        others = [found.rule for found in findings(row, row.b, b, kernels, held_out)]
    held = [_is_held(row.generation, gate) for gate in gates]
    names = (phase, row.generation, row.probe, fingerprint(row.response))
    return (*names, rules, others, *held, a.best, b.best)


def _is_held(generation: str, gate: Gate) -> bool:
    return verdict(generation, (), review_share=gate.review_share)[0] == "held"


def _reads_alike(a: Gate, b: Gate) -> bool:
    """Whether two gates ask the same of a text and differ in scores and numbers at most."""
    numbers = ("scorer", "threshold", "calibrated", "review_share", "best", "duplicate")
    return msgspec.structs.replace(b, **{name: getattr(a, name) for name in numbers}) == a


def _insert(views: "Views", rows: Sequence[tuple[Any, ...]]) -> None:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True))
    views.db.register("given", pa.table(columns, names=[f"c{n}" for n in range(len(columns))]))
    views.db.execute("insert into looked from given")
    views.db.unregister("given")
