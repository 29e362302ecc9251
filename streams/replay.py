"""Replays the log into views: DuckDB over a columnar copy of each topic.

There is no database file: the same log makes the same views.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from streams import views
from streams.columns import schema
from streams.curriculum import Curriculum
from streams.errors import LogError
from streams.log.door import Store
from streams.log.records import TopicPartition
from streams.parquet import Part, Progress, copied
from streams.topics import TOPICS

if TYPE_CHECKING:
    import duckdb


Values = Sequence[object] | Mapping[str, object]
"""For the marks of a query, by their order or by their names."""


class Policy(NamedTuple):
    """What a phase's generations are judged by."""

    phase: str
    policy: str
    """Its digest, as in `Decided.policy`."""
    scorer: str
    threshold: float | None
    best: int | None = None
    """How many of a probe's admitted generations are kept; none keeps all."""


class Views:
    """The log as it stood at one moment, to be asked in SQL."""

    def __init__(
        self, db: "duckdb.DuckDBPyConnection", positions: Mapping[TopicPartition, int]
    ) -> None:
        self.db = db
        self.positions = positions
        """The first offset of each partition that was not read."""

    def rows(self, query: str, values: Values = ()) -> list[dict[str, Any]]:
        """All rows of a query, by the names of its columns."""
        found = self.db.execute(query, values)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def opened(
    store: Store,
    home: Path,
    policies: Sequence[Policy] = (),
    *,
    ends: Mapping[TopicPartition, int] | None = None,
    progress: Progress | None = None,
) -> Iterator[Views]:
    """Every view of the log as it is now, or was, with the copy in `home` brought up to date.

    Args:
        store: The log.
        home: Where the copy is kept.
        policies: Those in force, one a phase; they become the table `policies`.
        ends: The first offset of each partition that is not read; of others nothing is. As it
            is now where not given.
        progress: Called with how many more records went into files of the copy.

    Raises:
        LogError: The log does not reach so far, or can't be read.
    """
    import duckdb

    ends = store.ends() if ends is None else _reached(store, ends)
    parts = copied(store, home, ends, progress)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": min(4, os.cpu_count() or 1),
        "temp_directory": str(home / "columns" / ".spilled"),
        "autoinstall_known_extensions": False,  # nothing is fetched from the net
        "python_enable_replacements": False,  # a misspelt view must not find a variable of ours
    }
    with duckdb.connect(":memory:", config=config) as db:
        _attach(db, parts, policies)
        yield Views(db, ends)


def _reached(store: Store, ends: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, int]:
    there = store.ends()
    for (topic, partition), end in ends.items():
        if end > (known := there.get((topic, partition), 0)):
            raise LogError(
                f"{store.place} ends at {topic}[{partition}]@{known}, and should be read up to"
                f" {end}: it is another log, or a part of it."
            )
    return ends


def policies(curriculum: Curriculum) -> list[Policy]:
    """The policies in force: each phase's gate."""
    return [
        Policy(p.name, p.policy, p.gate.scorer, p.gate.threshold, p.gate.best)
        for p in curriculum.phases.values()
    ]


def _attach(
    db: "duckdb.DuckDBPyConnection", parts: Mapping[str, Part], in_force: Sequence[Policy]
) -> None:
    import pyarrow as pa

    db.execute("set global timezone = 'UTC'")
    for topic, part in parts.items():
        tail = pa.Table.from_batches(part.batches, schema(TOPICS[topic].event))
        views.add_topic(db, topic, sorted(part.files), tail)
    unreadable = sorted(each for part in parts.values() for each in part.unreadable)
    views.add_table(db, "log_unreadable", _UNREADABLE, unreadable)
    views.add_table(db, "policies", _POLICIES, in_force)
    db.execute("comment on table policies is 'One row per phase: what it is judged by now'")
    views.add_views(db)


_MEMORY = "400MB"  # a model may run beside; what takes more is spilled to disk
_UNREADABLE = 'topic varchar, "partition" integer, "offset" bigint, error varchar'
_POLICIES = "phase varchar, policy varchar, scorer varchar, threshold double, best integer"
