"""Every phase decided anew with the scores of each of two scorers; nothing is written to the log.

A policy is taken as it is but for its scorer. Its own generations are decided in full: outcome,
threshold, kernel leak, dedup, what a person reviewed. Generations of phases that the curriculum
does not have, as of imported history, are held against every threshold, by outcome and score
alone: what kernel they were given is not always known. Of duplicates only equal texts are foretold,
whatever similarity a policy names.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from agents.kernels import Kernels
from agents.rules import fingerprint, leak, verdict
from streams.curriculum import Curriculum, Phase
from streams.log.door import Store

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 1000  # texts in memory

# Which would pass by one of the two: of the others the text need not be read.
_LIKELY = """
select generation, generations.run, response from paired
join generations on generations.id = paired.generation
where paired.phase = $phase and list_contains($outcomes, paired.outcome)
and ($threshold is null or a >= $threshold or b >= $threshold)"""

_PLACED = """
create or replace table placed as
with
reviewed as (
  select generation, arg_max(verdict, "offset") as review from reviews group by generation
),
passing as (
  select
    looked.phase, generation, a, b, change, mark,
    coalesce(a >= threshold, true) and not leaks as passes_a,
    coalesce(b >= threshold, true) and not leaks as passes_b,
    coalesce(review = 'accepted', not held) as free
  from looked
  join paired using (generation)
  join policies on policies.phase = looked.phase
  left join reviewed using (generation)
),
kept as (
  select
    *,
    first_value(generation) over by_a as kept_a,
    first_value(generation) over by_b as kept_b
  from passing
  window
    by_a as (partition by phase, mark order by passes_a desc, a desc, generation),
    by_b as (partition by phase, mark order by passes_b desc, b desc, generation)
)
select
  *,
  passes_a and kept_a = generation and free as in_a,
  passes_b and kept_b = generation and free as in_b
from kept"""

_DATASETS = """
select phase, count(*) filter (in_a) as rows_a, count(*) filter (in_b) as rows_b,
  count(*) filter (in_b and not in_a) as enter, count(*) filter (in_a and not in_b) as leave
from placed group by phase order by phase"""

_ROWS = """
select phase, generation, in_b as enters, a, b,
  case
    when passes_a and passes_b then if(in_a, kept_b, kept_a) || ' is kept instead'
    else 'threshold'
  end as reason
from placed where in_a <> in_b
order by phase, enters, abs(change) desc, generation"""

_COUNTED = """
select count(*) as generations,
  count(*) filter (passes_a) as passes_a, count(*) filter (passes_b) as passes_b,
  count(*) filter (passes_b and not passes_a) as gained,
  count(*) filter (passes_a and not passes_b) as lost
"""
_OWN = f"""{_COUNTED}
from paired left join placed using (generation) where paired.phase = $phase"""
_OTHERS = f"""{_COUNTED}
from (
  select
    a >= $threshold and list_contains($outcomes, outcome) as passes_a,
    b >= $threshold and list_contains($outcomes, outcome) as passes_b
  from paired where phase not in (select phase from policies)
)"""

_SAME_SHARE = """
select b from paired
where list_contains($outcomes, outcome)
and (phase = $phase or $others and phase not in (select phase from policies))
order by b desc limit 1 offset $passing - 1"""


class Flips(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy's gate would let pass with each scorer."""

    phase: str
    """The policy's."""
    of: str
    """The generations: `own` of the phase, or `history`, of phases without a policy."""
    threshold: float | None
    generations: int
    passes_a: int
    passes_b: int
    gained: int
    """Pass by the second alone."""
    lost: int
    """Pass by the first alone."""
    same_share: float | None
    """The threshold at which the second would let as many pass as the first does, leaks aside."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """What a phase's dataset would hold with each scorer, in rows."""

    phase: str
    rows_a: int
    rows_b: int
    enter: int
    """In the second's alone."""
    leave: int
    """In the first's alone."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A training row that one of the two scorers puts into the dataset, and the other doesn't."""

    phase: str
    generation: str
    enters: bool
    """With the second scorer; else it leaves."""
    a: float
    b: float
    reason: str
    """`threshold`, or which generation of the same text is kept."""


def decide(store: Store, views: "Views", curriculum: Curriculum) -> None:
    """Make the table `placed` of `paired`: a row for each that passes a gate by either scorer.

    Raises:
        MissingRecord: The log holds generations of a run, but not the run.
    """
    db, kernels = views.db, Kernels(store)
    db.execute(f"create or replace table looked ({_LOOKED})")
    present = {name for (name,) in db.execute("select distinct phase from paired").fetchall()}
    for phase in curriculum.phases.values():
        if phase.name in present:
            for rows in _looked(views, kernels, phase):
                _insert(views, rows)
    db.execute(_PLACED)


def flips(views: "Views", curriculum: Curriculum) -> list[Flips]:
    """Of each policy: over its own generations, and over those of phases without a policy."""
    found = []
    for phase in curriculum.phases.values():
        for of, query in (("own", _OWN), ("history", _OTHERS)):
            if of == "own" or phase.gate.threshold is not None:
                found += _flips(views, phase, of, query)
    return found


def _flips(views: "Views", phase: Phase, of: str, query: str) -> list[Flips]:
    whose = {"phase": phase.name} if of == "own" else _values(phase)
    (row,) = views.rows(query, whose)
    told = {"phase": phase.name, "of": of, "threshold": phase.gate.threshold, **row}
    if not row["generations"]:
        return []
    return [msgspec.convert({**told, "same_share": _same_share(views, phase, of, row)}, Flips)]


def _same_share(views: "Views", phase: Phase, of: str, row: dict[str, Any]) -> float | None:
    if phase.gate.threshold is None or not row["passes_a"]:
        return None
    own = phase.name if of == "own" else None
    asked = {"phase": own, "others": of != "own", "passing": row["passes_a"]}
    outcomes = {"outcomes": list(phase.gate.outcomes)}
    return next((found["b"] for found in views.rows(_SAME_SHARE, {**asked, **outcomes})), None)


def datasets(views: "Views") -> list[Dataset]:
    """Of each phase that has generations."""
    return msgspec.convert(views.rows(_DATASETS), list[Dataset])


def rows(views: "Views") -> Iterator[Row]:
    """What enters and leaves: by phase, then what leaves, then the largest changes first."""
    found = views.db.cursor().execute(_ROWS)
    names = [column[0] for column in found.description or ()]
    while batch := found.fetchmany(_AT_ONCE):
        for row in batch:
            yield msgspec.convert(dict(zip(names, row, strict=True)), Row)


_LOOKED = "phase varchar, generation varchar, leaks boolean, held boolean, mark varchar"


def _values(phase: Phase) -> dict[str, Any]:
    return {"outcomes": list(phase.gate.outcomes), "threshold": phase.gate.threshold}


def _looked(
    views: "Views", kernels: Kernels, phase: Phase
) -> Iterator[list[tuple[str, str, bool, bool, str]]]:
    """What the text and the id of a generation decide, whatever its score."""
    gate = phase.gate
    found = views.db.cursor().execute(_LIKELY, {"phase": phase.name, **_values(phase)})
    while batch := found.fetchmany(_AT_ONCE):
        yield [
            (
                phase.name,
                generation,
                any(leak(text, k, gate.leak_words) for k in kernels.named(run).values()),
                verdict(generation, (), review_share=gate.review_share)[0] == "held",
                fingerprint(text),
            )
            for generation, run, text in batch
        ]


def _insert(views: "Views", rows: Sequence[tuple[Any, ...]]) -> None:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True))
    views.db.register("given", pa.table(columns, names=[f"c{n}" for n in range(len(columns))]))
    views.db.execute("insert into looked from given")
    views.db.unregister("given")
