"""Compare: two scorers over the same generations, down to the rows that enter and leave a dataset.

`pairing` finds what both scored, `numbers` says how scores and signals lie, `decisions` decides
every phase anew with each of the two, `texts` fetches what to read. Nothing is written to the log.
"""

from itertools import groupby, islice
from typing import TYPE_CHECKING

import msgspec

from agents.compare import numbers
from agents.compare.decisions import Dataset, Flips, Row, datasets, decide, flips, rows
from agents.compare.numbers import Agreement, Density, Signal, Spread
from agents.compare.pairing import paired
from agents.compare.texts import Compared, largest, texts
from agents.scorers import Scorer
from streams.curriculum import Curriculum
from streams.log.door import Store

if TYPE_CHECKING:
    from streams.replay import Views

__all__ = ["Agreement", "Compared", "Comparison", "Dataset", "Flips", "Row", "Signal", "Spread"]
__all__ += ["compare", "rows"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two scorers, `a` and `b`, over what both scored."""

    a: str
    b: str
    generations: int
    lacking: dict[str, int]
    """How many generations a scorer, by its label, has not scored."""
    density: Density
    correlation: float | None
    """Spearman's rank correlation; none where one gives all the same score."""
    spreads: list[Spread]
    signals: list[Signal]
    agreements: list[Agreement]
    flips: list[Flips]
    datasets: list[Dataset]
    changed: list[Compared]
    """The largest changes, up and down."""
    moved: list[tuple[Row, Compared]]
    """Of each phase's rows that enter and of those that leave, the largest changes."""


def compare(
    store: Store,
    views: "Views",
    curriculum: Curriculum,
    a: Scorer,
    b: Scorer,
    *,
    phase: str | None = None,
    most: int = 5,
) -> Comparison:
    """Compare two scorers; all rows that move are told by `rows` afterwards.

    Args:
        store: Where the kernels are looked up.
        views: The same log; it gets the tables `paired` and `placed`.
        curriculum: The policies.
        a: The one that is known.
        b: The other.
        phase: Only its generations.
        most: How many texts of each kind.

    Raises:
        ConfigError: Both are the same, one has changed, or no generation was scored by both.
    """
    pairing = paired(views, a, b, phase)
    decide(store, views, curriculum)
    spreads = numbers.spreads(views, a, b)
    return Comparison(
        a=a.label,
        b=b.label,
        generations=pairing.generations,
        lacking=pairing.lacking,
        density=numbers.density(views, spreads),
        correlation=numbers.rank_correlation(views),
        spreads=spreads,
        signals=[*numbers.signals(views, a), *numbers.signals(views, b)],
        agreements=numbers.agreements(views),
        flips=flips(views, curriculum),
        datasets=datasets(views),
        changed=texts(views, a, b, largest(views, most)),
        moved=_moved(views, a, b, most),
    )


def _moved(views: "Views", a: Scorer, b: Scorer, most: int) -> list[tuple[Row, Compared]]:
    grouped = groupby(rows(views), lambda row: (row.phase, row.enters))
    chosen = [row for _, group in grouped for row in islice(group, most)]
    found = texts(views, a, b, [row.generation for row in chosen])
    return list(zip(chosen, found, strict=True))
