"""How many requests bring the rows that a phase lacks, by what became of those before.

A phase's *rate* is the share of its answers that become rows: what passed gate and dedup among what
they decided, times what was accepted among what passed and is on hold no longer. There is none
until something is decided, nor while all that passed is on hold.
"""

import math
from typing import NamedTuple


class Counted(NamedTuple):
    """What of a phase the estimates are made of."""

    waiting: int = 0
    held: int = 0
    accepted: int = 0
    refused: int = 0
    """By a reviewer."""
    rejected: int = 0
    """By gate or dedup."""


def rate(counted: Counted) -> float | None:
    """The share of answers that become rows; none where nothing tells it yet."""
    passed = counted.accepted + counted.held + counted.refused
    if not passed:
        return 0.0 if counted.rejected else None
    kept = _kept(counted)
    return None if kept is None else kept * passed / (passed + counted.rejected)


def needed(counted: Counted, missing: int) -> int | None:
    """How many more requests bring the missing rows; none where no number can be said.

    Taken off is what may be expected of requests under way and of what is on hold.
    """
    found = rate(counted)
    if missing <= 0:
        return 0
    if not found:
        return None
    expected = counted.waiting * found + counted.held * (_kept(counted) or 0)
    # A hair less, so that rounding of the rate asks for no request too many.
    return max(0, math.ceil((missing - expected) / found - 1e-9))


def _kept(counted: Counted) -> float | None:
    """The share of what passed and is on hold no longer that was accepted."""
    settled = counted.accepted + counted.refused
    return counted.accepted / settled if settled else None
