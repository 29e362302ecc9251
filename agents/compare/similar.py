"""To which better text each of a phase's is similar, as dedup would find it: on both sides.

Of several the best is enough: there is a better one exactly if the best one is better.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from agents.bands import Bands
from agents.rules import normalised
from streams.duplicate import Duplicate

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 500  # texts in memory
_ROWS = 10_000
_COLUMNS = ("phase", "side", "mark", "other")

_TEXTS = """
select mark, min(response) from looked
join paired using (generation)
join generations on generations.id = generation
where looked.phase = $phase and if($side = 'a', len(rules_a), len(rules_b)) = 0
group by mark
order by min({below: -if($side = 'a', a, b), generation: generation})"""


def begin(views: "Views") -> None:
    """Make the table `alike`, empty: for a mark, of the better ones similar to it the best."""
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
    bound = (duplicate.words, duplicate.similarity)
    found = _pairs(views, phase, side, *bound)
    while rows := [(phase, side, *pair) for pair in islice(found, _ROWS)]:
        _insert(views, rows)


def _insert(views: "Views", rows: Sequence[tuple[str, ...]]) -> None:
    import pyarrow as pa

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
    with closing(Alike(bound)) as alike:
        held: Bands[int] = Bands()
        while batch := found.fetchmany(_AT_ONCE):
            drawn = sketches([normalised(text) for _, text in batch], words)
            for (mark, _), sketch in zip(batch, drawn, strict=True):
                near = (
                    n for n in held.near(sketch.bands) if alike.similarity(sketch, n) is not None
                )
                if (best := next(near, None)) is not None:
                    yield mark, marks[best]
                marks.append(mark)
                held.add(sketch.bands, alike.add(sketch))
