"""Settle: decide, outside Faust, what the policies of now have not decided yet.

A changed policy leaves old generations undecided: these are found with the views and decided by
the agents' own functions. It needs the worker's place: two that dedup at once could keep both of
two equal responses.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from agents.dedup import Kept
from agents.gate import Gate
from agents.score import scored
from agents.scorers import scorer
from schemas import Buried, Decided, Generated, Scored
from schemas.base import Fact
from streams.curriculum import Curriculum
from streams.envelope import buried, draft, event
from streams.errors import UnreadableRecord
from streams.log.store import Store
from streams.topics import DATASETS, REVIEWS, RUNS

if TYPE_CHECKING:
    from streams.replay import Views

F = TypeVar("F", bound=Fact)

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
select d.id from decisions d
join policies p on p.phase = d.phase and p.policy = d.policy
where d.step = 'gate' and d.verdict <> 'rejected' and not exists (
  select 1 from decisions e
  where e.step = 'dedup' and e.generation = d.generation and e.policy = d.policy
)
order by d.partition, d.offset"""


def bury(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Buried]:
    """The unreadable records of topics that no agent reads."""
    topics = [RUNS.name, REVIEWS.name, DATASETS.name]
    found = views.db.execute(_UNREADABLE, [topics]).fetchall()
    for topic, partition, offset, error in found:
        (record,) = store.read(topic, partition, offset=offset, limit=1)
        yield buried(record, step="settle", error=error)


def score(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Scored]:
    """The scores that a policy asks for and that the agent did not give when it could not know."""
    for generation, by in _rows(views.db, _UNSCORED):
        for generated in _found(store, generation, Generated):
            yield scored(generated, scorer(by))


def gate(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Decided]:
    """The gate's decisions under the policies of now."""
    deciding = Gate(store, curriculum)
    for (score_id,) in _rows(views.db, _UNGATED):
        for score in _found(store, score_id, Scored):
            with suppress(UnreadableRecord):  # its generation is missing; told by verify
                if decision := deciding.decide(score):
                    yield decision


def dedup(store: Store, views: "Views", curriculum: Curriculum) -> Iterator[Decided]:
    """Dedup's decisions on everything that the gate lets pass."""
    kept = Kept(store)
    for (gated_id,) in _rows(views.db, _UNDEDUPED):
        for gated in _found(store, gated_id, Decided):
            with suppress(UnreadableRecord):  # its generation is missing; told by verify
                yield from kept.decide(gated)


STEPS = (bury, score, gate, dedup)
"""Each sees what the one before it wrote."""


def written(store: Store, facts: Iterable[Fact], *, batch: int = 500) -> Iterator[int]:
    """Append the events in batches; yields how many stand on the log after each."""
    waiting = iter(facts)
    while part := [draft(fact) for fact in islice(waiting, batch)]:
        store.append(part)
        yield len(part)


def _found(store: Store, event_id: str, kind: type[F]) -> list[F]:
    """The event of this id; none where it can't be read."""
    with suppress(UnreadableRecord):
        return [each for record in store.find(event_id) if isinstance(each := event(record), kind)]
    return []


def _rows(db: Any, query: str) -> Iterator[tuple[str, ...]]:
    found = db.cursor().execute(query)
    while rows := found.fetchmany(1000):
        yield from rows
