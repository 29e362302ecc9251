"""Coverage: how far each phase is from its volume, where it is thin, and what to run next.

A group's *fair* share is that of the others: one part of as many as the phase has groups. It is
*thin* while its share of the phase's rows is below that.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from agents.advice import Step, steps
from agents.estimate import Counted, needed, rate
from streams.curriculum import Curriculum, Phase

if TYPE_CHECKING:
    from streams.replay import Views

Dimension = Literal["domain", "language", "region", "voice"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

NO_GROUP = "(none)"
"""Where a probe names no region, or no voice."""

_COVERED = """
create or replace temp table covered as
with
written as (
  select
    probe,
    min("set") as "set",
    min(domain) as domain,
    min(language) as language,
    min(region) as region,
    min(voice) as voice,
    bool_or(rephrasing_of is null or voice is not null) as is_written
  from probes
  group by probe
),
asks as (
  select unnest($phases) as phase, unnest($sets) as "set", unnest($rephrasings) as rephrasings
),
wanted as (
  select distinct asks.phase, written.probe
  from asks join written on asks."set" = written."set"
  where written.is_written or asks.rephrasings
)
select
  coalesce(wanted.phase, asked_probes.phase) as phase,
  coalesce(is_written and wanted.probe is not null, false) as is_written,
  coalesce(domain, $none) as domain,
  coalesce(language, $none) as language,
  coalesce(region, $none) as region,
  coalesce(voice, $none) as voice,
  coalesce(requests, 0) as requests,
  coalesce(generations, 0) as generations,
  coalesce(pending, 0) as pending,
  coalesce(held, 0) as held,
  coalesce(accepted, 0) as accepted,
  coalesce(refused, 0) as refused,
  coalesce(rejected, 0) as rejected
from wanted
full join asked_probes using (phase, probe)
left join written using (probe)"""

_PHASES = """
select phase, count_if(is_written) as probes, sum(requests)::bigint as requests,
  sum(greatest(requests - generations, 0))::bigint as unanswered, {counts}
from covered group by phase"""
_GROUPS = """
select phase, {by} as "group", count_if(is_written) as probes, {counts}
from covered group by all order by phase, accepted, generations, "group" """
_COUNTS = ", ".join(
    f"sum({name})::bigint as {name}"
    for name in ("generations", "pending", "held", "accepted", "refused", "rejected")
)
_ASKED = """
select phase, model, count(*) as requests from requests
where not starts_with(model, 'import:')  -- whom nobody can ask
group by phase, model order by phase, requests, model"""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A domain, language, region or voice of a phase."""

    phase: str
    by: Dimension
    group: str
    probes: int
    """Written ones; a phase may ask their rephrasings too."""
    generations: int
    rows: int
    """Admitted."""
    share: float | None
    """Of the phase's rows; none while there are none."""
    fair: float
    missing: int
    """Rows to the fair part of the phase's volume."""
    is_thin: bool


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """A phase."""

    phase: str
    probes: int
    requests: int
    generations: int
    waiting: int
    """Requests without an answer, and answers without a decision."""
    held: int
    rows: int
    volume: int
    missing: int
    rate: float | None
    needed: int | None
    """Requests; none without a rate, or where it is 0."""
    groups: list[Group]
    next: list[Step]


def coverage(
    views: "Views", curriculum: Curriculum, *, model: str, phase: str | None = None
) -> Iterator[Covered]:
    """Each phase with a number for a name, each other that has requests; or the one named.

    Args:
        views: The log.
        curriculum: The phases.
        model: To be asked where a phase has asked none yet and names none.
        phase: This one alone.
    """
    phases = [each for each in curriculum.phases.values() if phase in (None, each.name)]
    sets = [row["set"] for row in views.rows('select distinct "set" from probes order by "set"')]
    views.db.execute(_COVERED, _values(phases, sets))
    there = {name: each for name, each in curriculum.sets.items() if name in sets}
    counts = {row["phase"]: row for row in views.rows(_PHASES.format(counts=_COUNTS))}
    groups = {by: views.rows(_GROUPS.format(by=by, counts=_COUNTS)) for by in DIMENSIONS}
    asked = {row["phase"]: row for row in views.rows(_ASKED)}  # the last is asked most
    for each in phases:
        row = counts.get(each.name, _NOTHING)
        if phase or each.name.isdigit() or row["generations"] or row["requests"]:
            told = [_grouped(each, by, groups[by]) for by in DIMENSIONS]
            before = asked.get(each.name, {"model": model, "requests": 0})
            found = _covered(each, row, [group for part in told for group in part])
            advised = list(steps(each, found, before, there))
            yield msgspec.structs.replace(found, next=advised)


_NOTHING = dict.fromkeys(
    (
        *("probes", "requests", "unanswered", "generations"),
        *("pending", "held", "accepted", "refused", "rejected"),
    ),
    0,
)


def _values(phases: Sequence[Phase], sets: Iterable[str]) -> dict[str, object]:
    pairs = [(each, one) for one in sets for each in phases if each.asks(one)]
    return {
        "phases": [each.name for each, _ in pairs],
        "sets": [one for _, one in pairs],
        "rephrasings": [each.rephrasings for each, _ in pairs],
        "none": NO_GROUP,
    }


def _grouped(phase: Phase, by: Dimension, every: list[dict[str, Any]]) -> Iterator[Group]:
    rows = [row for row in every if row["phase"] == phase.name]
    total = sum(row["accepted"] for row in rows)
    for row in rows:
        share = row["accepted"] / total if total else None
        yield Group(
            phase=phase.name,
            by=by,
            group=row["group"],
            probes=row["probes"],
            generations=row["generations"],
            rows=row["accepted"],
            share=share,
            fair=1 / len(rows),
            missing=max(0, math.ceil(phase.target.examples / len(rows)) - row["accepted"]),
            is_thin=total > 0 and row["accepted"] * len(rows) < total,
        )


def _covered(phase: Phase, row: dict[str, Any], groups: list[Group]) -> Covered:
    counted = Counted(
        waiting=row["unanswered"] + row["pending"],
        **{name: row[name] for name in ("held", "accepted", "refused", "rejected")},
    )
    missing = max(0, phase.target.examples - counted.accepted)
    return Covered(
        phase=phase.name,
        probes=row["probes"],
        requests=row["requests"],
        generations=row["generations"],
        waiting=counted.waiting,
        held=counted.held,
        rows=counted.accepted,
        volume=phase.target.examples,
        missing=missing,
        rate=rate(counted),
        needed=needed(counted, missing),
        groups=groups,
        next=[],
    )
