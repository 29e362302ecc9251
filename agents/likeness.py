"""Likeness: how much of one text stands in another, counted exactly in runs of words.

For some thousand prompts; it says nothing of texts that mean the same in other words.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from agents.words import runs as in_a_row
from agents.words import words

_RUN = 5  # words
_FEW = 10  # runs: what texts of fewer words share says little, unless it is all

ALIKE = 1 / 3
"""From here on two prompts are one. Two with a Jaccard similarity of 0.2 always reach it; those of
our own seeds stay below 0.1."""

Runs = frozenset[tuple[str, ...]]


def runs(text: str) -> Runs:
    """Every five words in a row, whatever their case, width and punctuation; else all of it."""
    found = words(text)
    return frozenset(in_a_row(found, _RUN)) or frozenset([tuple(found)])


def likeness(one: Runs, other: Runs) -> float:
    """The share of the shorter text's runs that stand in the longer one, from 0 to 1."""
    return 1.0 if one == other else _share(len(one & other), one, other)


def pairs(texts: Sequence[Runs]) -> Iterator[tuple[int, int, float]]:
    """Each two texts that are alike: the earlier one's number, the later one's, their likeness."""
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, text in enumerate(texts):
        shared = Counter(earlier for run in text for earlier in holders.get(run, ()))
        for earlier in sorted(shared):
            if (share := likeness(texts[earlier], text)) >= ALIKE:
                yield earlier, number, share
        for run in text:
            holders.setdefault(run, []).append(number)


def _share(shared: int, one: Runs, other: Runs) -> float:
    return shared / max(_FEW, min(len(one), len(other)))
