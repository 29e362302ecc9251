"""Rescore: old generations judged by another scorer version; nothing is generated again.

It only adds scores, whose ids follow from generation, scorer and definition: it may be stopped and
begun again, and run beside a worker.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agents.score import told
from agents.scorers import Scorer, Text
from agents.scorers.changed import refuse_changed
from schemas import Scored
from streams.origin import Origin, origin

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 1000  # generations in memory; at 100 KB each, 100 MB

_WANTED = """
from generations g
where not exists (
  select 1 from scores s
  where s.generation = g.id and s.scorer = $scorer and s.definition = $definition
)
and ($since is null or g.logged_at >= $since)
and ($run is null or contains(g.run, $run))
and ($model is null or contains(g.model, $model))
and ($phase is null or g.phase = $phase)"""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which generations are meant; what is None leaves none out."""

    since: datetime | None = None
    """Logged at this instant or later."""

    run: str | None = None
    """A part of the run's id."""

    model: str | None = None
    """A part of the model's URL."""

    phase: str | None = None
    """The phase's name."""


def missing(views: "Views", by: Scorer, choice: Choice) -> int:
    """How many of the generations this scorer has not scored.

    Raises:
        ConfigError: The log has scores by another definition under the same name and version.
    """
    refuse_changed(views, [by])
    (count,) = views.rows(f"select count(*) as n {_WANTED}", _values(by, choice))
    return int(count["n"])


def rescored(views: "Views", by: Scorer, choice: Choice) -> Iterator[Scored]:
    """The scores that are missing, in the order of the log."""
    found = views.db.cursor().execute(
        f"select g.id, g.run, g.phase, g.response, g.prompt {_WANTED}", _values(by, choice)
    )
    common = origin()
    while rows := found.fetchmany(_AT_ONCE):
        scores = by.function([Text(response, prompt) for *_, response, prompt in rows])
        for (generation, run, phase, *_), one in zip(rows, scores, strict=True):
            whence = Origin(at=common["at"], by=common["by"], run=run, cause=generation)
            yield told(generation, phase, one, by, whence)


def _values(by: Scorer, choice: Choice) -> dict[str, Any]:
    named = msgspec.structs.asdict(choice)
    return {"scorer": by.label, "definition": by.definition, **named}
