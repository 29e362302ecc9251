"""Settle: decide, outside Faust, what the policies of now have not decided yet.

A changed policy leaves old generations undecided: these are found with the views and decided by
the agents' own functions. It needs the worker's place: two that dedup at once could keep both of
two equal responses.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agents.dedup import undecided
from agents.gate import Gate, write
from streams.curriculum import Curriculum
from streams.log.store import Store
from streams.replay import opened, policies

if TYPE_CHECKING:
    from streams.config import Settings

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


def gate(store: Store, settings: "Settings", curriculum: Curriculum) -> Iterator[int]:
    """Decide every score that the gate has not decided; yields how many, batch by batch."""
    with opened(store, settings.home_path, policies(curriculum)) as views:
        deciding = Gate(store, curriculum)
        yield from write(store, deciding.decide_again(_ids(views.db, _UNGATED)))


def dedup(store: Store, settings: "Settings", curriculum: Curriculum) -> Iterator[int]:
    """Dedup everything that the gate let pass; yields how many, batch by batch."""
    with opened(store, settings.home_path, policies(curriculum)) as views:
        yield from write(store, undecided(store, _ids(views.db, _UNDEDUPED)))


def _ids(db: Any, query: str) -> Iterator[str]:
    found = db.cursor().execute(query)
    while rows := found.fetchmany(1000):
        yield from (row[0] for row in rows)
