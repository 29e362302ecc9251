"""The generations that two scorers scored, side by side in a table of the views."""

from typing import TYPE_CHECKING, NamedTuple

from agents.scorers import Scorer
from agents.scorers.changed import refuse_changed
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.replay import Views

_PAIRED = """
create or replace table paired as
with
matched as (
  select g.id as generation, g.phase, g.outcome, one.score as a, two.score as b
  from scores as one
  join scores as two using (generation)
  join generations as g on g.id = one.generation
  where one.scorer = $a and one.definition = $a_definition
  and two.scorer = $b and two.definition = $b_definition
  and ($phase is null or g.phase = $phase)
),
stats as (
  select avg(a) as ma, stddev_pop(a) as sa, avg(b) as mb, stddev_pop(b) as sb from matched
)
select
  matched.*,
  coalesce((b - mb) / nullif(sb, 0), 0) - coalesce((a - ma) / nullif(sa, 0), 0) as change
from matched, stats"""

_LACKING = """
select
  count(*) filter (id not in (select generation from scores where scorer = $a)) as a,
  count(*) filter (id not in (select generation from scores where scorer = $b)) as b
from generations where $phase is null or phase = $phase"""


class Pairing(NamedTuple):
    """What can be compared, and what lacks a score."""

    generations: int
    """Scored by both."""

    lacking: dict[str, int]
    """How many generations a scorer, by its label, has not scored."""


def paired(views: "Views", a: Scorer, b: Scorer, phase: str | None = None) -> Pairing:
    """Make the table `paired`: generation, phase, outcome, the scores `a` and `b`, their change.

    The change is told in standard deviations of each scorer, so that it doesn't matter in what
    points they score: how much higher the second ranks a generation than the first does.

    Raises:
        ConfigError: Both are the same, or one has changed under its version, or no generation
            was scored by both.
    """
    if a.label == b.label:
        raise ConfigError(f"Both scorers are {a.label}; name two, as lek@2 and lek@2.1.")
    refuse_changed(views, [a, b])
    labels = {"a": a.label, "b": b.label, "phase": phase}
    definitions = {"a_definition": a.definition, "b_definition": b.definition}
    views.db.execute(_PAIRED, {**labels, **definitions})
    (count,) = views.rows("select count(*) as n from paired")
    (missing,) = views.rows(_LACKING, labels)
    lacking = {one.label: missing[name] for name, one in (("a", a), ("b", b)) if missing[name]}
    if not count["n"]:
        raise ConfigError(_nothing(lacking, phase))
    return Pairing(count["n"], lacking)


def _nothing(lacking: dict[str, int], phase: str | None) -> str:
    where = f" of phase {phase}" if phase else ""
    if not lacking:
        return f"There is no generation{where} on the log; begin with `lem run` or `lem import`."
    first = "; then ".join(f"`lem rescore --scorer {label}`" for label in lacking)
    return f"No generation{where} was scored by both; run {first}."
