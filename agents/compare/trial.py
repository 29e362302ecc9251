"""A gate on trial: what a phase would decide if its gate were another. Writes nothing to the log.

Both gates decide everything anew, so that what waits for a decision counts on both sides.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from agents.compare.placing import place
from agents.contamination import read
from streams.curriculum import Gate, Phase
from streams.errors import ConfigError
from streams.log.door import Store

if TYPE_CHECKING:
    from streams.replay import Views

# The change in standard deviations says something of two scorers alone.
_PAIRED = """
create or replace table paired as
select g.id as generation, g.phase, g.outcome, now.score as a, "then".score as b,
  0.0::double as change
from generations as g
join scored_generations as now on now.generation = g.id and now.scorer = $now
join scored_generations as "then" on "then".generation = g.id and "then".scorer = $then
where g.phase = $phase"""

_LACKING = """
select count(*) as generations from generations
where phase = ? and id not in (select generation from scored_generations where scorer = ?)"""

_VERDICT = """case
  when decisive_{side} in ('accepted', 'held') then decisive_{side} else 'rejected'
end"""
_RULES = """case decisive_{side}
  when 'gate' then rules_{side} when 'accepted' then [] when 'held' then ['review']
  else [decisive_{side}]
end"""
_COUNTED = """
select {name}, count(*) filter (side = 'now') as now, count(*) filter (side = 'then') as "then"
from (
  select 'now' as side, {now} as {name} from placed
  union all select 'then' as side, {then} as {name} from placed
)
group by {name} order by {name}"""

_MOVED = """
select in_b as enters, generation, a as now, b as "then",
  case if(in_a, decisive_b, decisive_a)
    when 'gate' then array_to_string(if(in_a, rules_b, rules_a), ', ')
    when 'held' then 'review'
    else if(in_a, decisive_b, decisive_a)
  end as rules,
  regexp_replace(g.response[:200], '\\s+', ' ', 'g')[:60] as words
from placed join generations as g on g.id = generation
where in_a <> in_b
order by enters desc, abs(if(in_b, b, a) - $near), generation"""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many generations have a verdict, or fail a rule."""

    name: str
    now: int
    then: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A row that only one of the two gates lets into the dataset."""

    enters: bool
    """With the gate on trial; else it leaves."""
    generation: str
    now: float
    then: float
    """Its score by the scorer of the gate on trial."""
    rules: str
    """What keeps it out on the other side."""
    words: str
    """The beginning of the response."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What would change."""

    phase: str
    generations: int
    lacking: dict[str, int]
    """How many generations a scorer, by its label, has not scored; they are left out."""
    verdicts: list[Counted]
    rules: list[Counted]
    """A generation counts with each rule that it fails."""
    enter: int
    leave: int


def tried(
    store: Store, views: "Views", phase: Phase, gate: Gate, *, held_out: tuple[str, ...] = ()
) -> Trial:
    """Decide a phase's generations by its gate and by another; all that move are told by `moved`.

    Args:
        store: Where kernels and held-out probes are looked up.
        views: The same log; it gets the tables `paired` and `placed`.
        phase: With the gate of now.
        gate: The one on trial.
        held_out: The probe sets that are only for measuring.

    Raises:
        ConfigError: No generation of the phase has the scores that are needed.
    """
    names = {"now": phase.gate.scorer, "then": gate.scorer}
    views.db.execute(_PAIRED, {**names, "phase": phase.name})
    lacking = _lacking(views, phase.name, sorted({*names.values()}))
    (count,) = views.rows("select count(*) as n from paired")
    if not count["n"]:
        raise ConfigError(_nothing(phase.name, lacking))
    gates = {phase.name: (phase.gate, gate)}
    place(store, views, gates, read(store, held_out), every=True)
    (moves,) = views.rows(
        "select count(*) filter (in_b and not in_a) as enter,"
        " count(*) filter (in_a and not in_b) as leave from placed"
    )
    return Trial(
        phase=phase.name,
        generations=count["n"],
        lacking=lacking,
        verdicts=_counted(views, _VERDICT),
        rules=_counted(views, f"unnest({_RULES})"),
        **moves,
    )


def moved(views: "Views", phase: Phase, gate: Gate) -> Iterator[Moved]:
    """The rows that enter, then those that leave, the nearest to the threshold first."""
    near = next((t for t in (gate.threshold, phase.gate.threshold) if t is not None), 0.0)
    for row in views.rows(_MOVED, {"near": near}):
        yield msgspec.convert(row, Moved)


def _counted(views: "Views", told: str) -> list[Counted]:
    now, then = told.format(side="a"), told.format(side="b")
    return msgspec.convert(
        views.rows(_COUNTED.format(name="name", now=now, then=then)), list[Counted]
    )


def _lacking(views: "Views", phase: str, labels: list[str]) -> dict[str, int]:
    found: dict[str, Any] = {}
    for label in labels:
        (row,) = views.rows(_LACKING, [phase, label])
        found[label] = row["generations"]
    return {label: count for label, count in found.items() if count}


def _nothing(phase: str, lacking: dict[str, int]) -> str:
    if not lacking:
        return f"The log holds no generation of phase {phase}; begin with `lem distill`."
    first = "; then ".join(f"`lem rescore --scorer {label}`" for label in lacking)
    return f"No generation of phase {phase} has the scores that this takes; run {first}."
