"""Which texts of a phase are similar, as dedup would find them: for both sides, as a table."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agents.rules import normalised
from streams.duplicate import Duplicate

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 500  # texts in memory
_COLUMNS = ("phase", "side", "mark", "other")

_TEXTS = """
select mark, min(response) from looked join generations on generations.id = generation
where looked.phase = $phase and if($side = 'a', len(rules_a), len(rules_b)) = 0
group by mark order by mark"""


def begin(views: "Views") -> None:
    """Make the table `alike`, empty: one row for each mark and each other one similar to it."""
    columns = ", ".join(f"{name} varchar" for name in _COLUMNS)
    views.db.execute(f"create or replace table alike ({columns})")


def add(views: "Views", phase: str, side: str, duplicate: Duplicate) -> None:
    """Fill it for one phase and side, with what passes there.

    Args:
        views: With the tables `looked` and `alike`.
        phase: The phase.
        side: `a` or `b`.
        duplicate: What is too similar; where that is only what is equal, nothing is added.
    """
    if duplicate.similarity is None:
        return
    import pyarrow as pa

    pairs = list(_pairs(views, phase, side, duplicate.words, duplicate.similarity))
    rows = [(phase, side, *two) for one in pairs for two in (one, one[::-1])]
    if rows:
        columns: list[Any] = list(zip(*rows, strict=True))
        views.db.register("given", pa.table(columns, names=list(_COLUMNS)))
        views.db.execute("insert into alike from given")
        views.db.unregister("given")


def _pairs(
    views: "Views", phase: str, side: str, words: int, bound: float
) -> Iterator[tuple[str, str]]:
    from agents.alike import Alike
    from agents.shingles import sketches

    marks: list[str] = []
    found = views.db.cursor().execute(_TEXTS, {"phase": phase, "side": side})
    alike = Alike(bound)
    while batch := found.fetchmany(_AT_ONCE):
        drawn = sketches([normalised(text) for _, text in batch], words)
        for (mark, _), sketch in zip(batch, drawn, strict=True):
            near = (n for n in alike.candidates(sketch) if alike.similarity(sketch, n) is not None)
            yield from ((marks[number], mark) for number in near)
            marks.append(mark)
            alike.add(sketch)
    alike.close()
