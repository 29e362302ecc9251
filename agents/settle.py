"""Settle: decide, outside Faust, what the policies of now have not decided yet.

A changed policy leaves old generations undecided: these are found with the views and decided by
the agents' own functions. It needs the worker's place: two that dedup at once could keep both of
two equal responses.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from agents.dedup import Kept, Passed
from agents.gate import Gate
from agents.score import scored
from agents.scorers import scorer
from agents.scorers.changed import refuse_changed
from schemas import Buried, Decided, Generated, Scored
from streams.curriculum import Curriculum
from streams.envelope import buried, found
from streams.errors import UnreadableRecord
from streams.log.door import Store
from streams.topics import DATASETS, REVIEWS, RUNS

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 500
_RECORDED = "recorded@"  # brought along by history, so that nothing here could have changed

_UNREADABLE = """
select topic, "partition", "offset", error from unreadable
where list_contains(?, topic)"""

_UNSCORED = """
select g.id, p.scorer from generations g
join policies p on p.phase = g.phase
where not exists (
  select 1 from scores s where s.generation = g.id and s.scorer = p.scorer
)
order by g.partition, g.offset"""

_UNGATED = """
select s.id from scores s
join policies p on p.phase = s.phase and p.scorer = s.scorer
where not exists (
  select 1 from decisions d
  where d.step = 'gate' and d.generation = s.generation and d.policy = p.policy
)
order by s.partition, s.offset"""

_UNDEDUPED = """
select d.id, d.run, d.generation, d.phase, d.policy, d.scorer, d.score from decisions d
join policies p on p.phase = d.phase and p.policy = d.policy
where d.step = 'gate' and d.verdict <> 'rejected' and not exists (
  select 1 from decisions e
  where e.step = 'dedup' and e.generation = d.generation and e.policy = d.policy
)
order by d.partition, d.offset"""


def check(views: "Views", curriculum: Curriculum) -> None:
    """Refuse to decide by a scorer that is not the one which gave the scores on the log.

    Raises:
        ConfigError: A gate's scorer has changed, or there is none of that name and version.
    """
    named = sorted({phase.gate.scorer for phase in curriculum.phases.values()})
    refuse_changed(views, [scorer(label) for label in named if not label.startswith(_RECORDED)])


def bury(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Buried]:
    """The unreadable records of topics that no agent reads."""
    topics = [RUNS.name, REVIEWS.name, DATASETS.name]
    for topic, partition, offset, error in views.db.execute(_UNREADABLE, [topics]).fetchall():
        (record,) = store.read(topic, partition, offset=offset, limit=1)
        yield buried(record, step="settle", error=error)


def score(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Scored]:
    """The scores that a policy asks for and that the agent did not give when it could not know."""
    rows = _rows(views.db, _UNSCORED)
    while batch := list(islice(rows, _AT_ONCE)):
        yield from _scored(store, batch)


def _scored(store: Store, rows: list[tuple[str, ...]]) -> list[Scored]:
    """The scores of these generations, each by the scorer that is named with it."""
    wanted: dict[str, list[Generated]] = {}
    for generation, by in rows:
        with _passing_over():
            wanted.setdefault(by, []).append(found(store, generation, Generated, by=by))
    return [score for by, group in wanted.items() for score in scored(group, scorer(by))]


def gate(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Decided]:
    """The gate's decisions under the policies of now."""
    deciding = Gate(store, curriculum)
    for (score_id,) in _rows(views.db, _UNGATED):
        with _passing_over():
            if decision := deciding.decide(found(store, score_id, Scored, by="The gate")):
                yield decision


def dedup(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Decided]:
    """Dedup's decisions on everything that the gate lets pass."""
    rows = (Passed(*row) for row in _rows(views.db, _UNDEDUPED))
    with closing(Kept(store, curriculum)) as kept:
        yield from kept.read_on()
        while batch := list(islice(rows, _AT_ONCE)):
            yield from kept.decide_all(list(_read(store, batch)))


def _read(store: Store, batch: list[Passed]) -> Iterator[tuple[Passed, str]]:
    for one in batch:
        with _passing_over():
            by = f"Decision {one.cause}"
            yield one, found(store, one.generation, Generated, by=by).response


STEPS = (bury, score, gate, dedup)
"""Each sees what the one before it wrote."""


def _passing_over() -> AbstractContextManager[None]:
    """Go on where a record or its partner is missing or unreadable; verify tells of it."""
    return suppress(UnreadableRecord)


def _rows(db: Any, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = db.cursor().execute(query)
    while rows := cursor.fetchmany(1000):
        yield from rows
