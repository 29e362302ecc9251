"""Rescore: old generations judged by another scorer version; nothing is generated again.

It only adds scores, whose ids follow from generation, scorer and definition: it may be stopped and
begun again, and run beside a worker.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agents.score import told
from agents.scorers import Score, Scorer, Text
from agents.scorers.changed import refuse_changed
from schemas import Scored
from streams.origin import Origin, origin

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 500  # generations, three times over in memory: asked for, being scored, being written

# `not in` rather than `not exists`: for that one DuckDB may keep the generations in memory, with
# their texts, and not the ids of those that have a score.
_WANTED = """
from generations g
where g.id not in (
  select generation from scores where scorer = $scorer and definition = $definition
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
    """The scores that are missing, in no certain order.

    They are made in a thread, some hundred ahead of whoever asks for them: one core scores while
    another one writes.
    """
    parts = _parts(views, by, choice)
    with ThreadPoolExecutor(1, "lem-rescore") as ahead:
        coming = ahead.submit(next, parts, None)
        while part := coming.result():
            coming = ahead.submit(next, parts, None)
            yield from part


def unscored(views: "Views", by: Scorer, choice: Choice) -> Iterator[list[tuple[str, ...]]]:
    """The generations without a score, some hundred at a time: id, run, phase, response, prompt."""
    found = views.db.cursor().execute(
        f"select g.id, g.run, g.phase, g.response, g.prompt {_WANTED}", _values(by, choice)
    )
    while rows := found.fetchmany(_AT_ONCE):
        yield rows


def _parts(views: "Views", by: Scorer, choice: Choice) -> Iterator[list[Scored]]:
    common = origin()
    for rows in unscored(views, by, choice):
        scores = by.function([Text(response, prompt) for *_, response, prompt in rows])
        yield [_told(row, one, by, common) for row, one in zip(rows, scores, strict=True)]


def _told(row: tuple[str, ...], found: Score, by: Scorer, common: Origin) -> Scored:
    generation, run, phase, *_ = row
    whence = Origin(at=common["at"], by=common["by"], run=run, cause=generation)
    return told(generation, phase, found, by, whence)


def _values(by: Scorer, choice: Choice) -> dict[str, Any]:
    named = msgspec.structs.asdict(choice)
    return {"scorer": by.label, "definition": by.definition, **named}
