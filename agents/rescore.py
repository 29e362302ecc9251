"""Rescore: old generations judged by another scorer version; nothing is generated again.

It only adds scores, whose ids follow from generation, scorer and definition: it may be stopped and
begun again, and run beside a worker.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agents.score import told
from agents.scorers import Score, Scorer, Text, scorer
from agents.scorers.changed import refuse_changed
from schemas import Scored
from streams.errors import ConfigError
from streams.origin import Origin, origin

if TYPE_CHECKING:
    from streams.replay import Views

_FETCHED = 100  # generations; at 100 KB each, 10 MB
_AT_ONCE, _CHARACTERS = 500, 1_000_000  # are scored together, whichever there is first
_FEW = 4  # times that: starting processes would take longer
_MOST_PROCESSES = 4  # of 100 MB each; the one that writes keeps pace with about so many

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


class Row(NamedTuple):
    """What is needed of a generation to score it."""

    generation: str
    run: str | None
    phase: str
    response: str
    prompt: str


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

    A few are made here, many by processes of their own, while the caller writes those before.
    """
    parts, common = unscored(views, by, choice), origin()
    few = list(islice(parts, _FEW))
    if len(few) < _FEW:
        for rows in few:
            yield from scored(rows, by, common)
    else:
        yield from _scored_beside(chain(few, parts), by, common)


def unscored(views: "Views", by: Scorer, choice: Choice) -> Iterator[list[Row]]:
    """The generations without a score, some hundred at a time, of long texts fewer."""
    found = views.db.cursor().execute(
        f"select g.id, g.run, g.phase, g.response, g.prompt {_WANTED}", _values(by, choice)
    )
    part: list[Row] = []
    size = 0
    while rows := found.fetchmany(_FETCHED):
        part += map(Row._make, rows)
        size += sum(len(row.response) for row in part[-len(rows) :])
        if size >= _CHARACTERS or len(part) >= _AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def scored(rows: Sequence[Row], by: Scorer, common: Origin) -> list[Scored]:
    """The scores of these."""
    scores = by.function([Text(row.response, row.prompt) for row in rows])
    return [_told(row, one, by, common) for row, one in zip(rows, scores, strict=True)]


def _told(row: Row, found: Score, by: Scorer, common: Origin) -> Scored:
    whence = Origin(at=common["at"], by=common["by"], run=row.run, cause=row.generation)
    return told(row.generation, row.phase, found, by, whence)


def _scored_beside(parts: Iterable[list[Row]], by: Scorer, common: Origin) -> Iterator[Scored]:
    """The same by other processes: one interpreter keeps one core busy, whatever the scorer."""
    count = min(_MOST_PROCESSES, os.cpu_count() or 1)
    # Not forked: DuckDB has threads, which a fork would leave behind with their locks.
    beside = ProcessPoolExecutor(count, get_context("spawn"), _begin, (count,))
    waiting: deque[Future[list[Scored]]] = deque()
    try:
        for rows in parts:
            with _without_interrupts():
                waiting.append(beside.submit(_scored_by_label, rows, by.label, common))
            if len(waiting) > count + 1:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenExecutor as error:
        raise ConfigError(
            f"A process that scored by {by.label} was ended from outside, or had no memory left."
            " What is written stays; the same command goes on."
        ) from error
    finally:
        beside.shutdown(cancel_futures=True)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """What is started within does not hear of Ctrl+C: that is for the one that writes."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(count: int) -> None:
    """Make this one of so many processes that score."""
    os.environ["POLARS_MAX_THREADS"] = str(max(1, (os.cpu_count() or 1) // count))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed can't say that it is over: its end is awaited."""
    parent = parent_process()
    if parent:
        parent.join()
    os._exit(1)


def _scored_by_label(rows: list[Row], label: str, common: Origin) -> list[Scored]:
    return scored(rows, _named(label), common)


_named = cache(scorer)


def _values(by: Scorer, choice: Choice) -> dict[str, Any]:
    named = msgspec.structs.asdict(choice)
    return {"scorer": by.label, "definition": by.definition, **named}
