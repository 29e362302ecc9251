"""What a scorer measures in a text other than by patterns: it takes no more than linear time.

* `distinct_words`: 1 where the share of distinct words (split at white space, case kept) is below
  `severe`, 0.5 where it is below `mild`; only in texts of more than `longer_than` words.
* `short`: 1 where fewer than `below` characters are left without the white space around them.
* `repeats`: 1 where some `length` characters or more stand `times` times in a row.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from agents.scorers.alphabet import Written

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Limits = Mapping[str, float]

_CELL_BITS = 13
_SHIFT = 32 - _CELL_BITS
_CELLS = 1 << _CELL_BITS  # for each text; of 300 words about one in fifty shares a cell
_MIX = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)  # odd numbers of 32 bits
_BASE = 0x9E3779B97F4A7C15  # of the rolling hash, modulo 2**64; equal hashes are compared


def distinct_words(texts: Sequence[str], written: Written, limits: Limits) -> list[float]:
    """The degeneration of each text by its share of distinct words."""
    import numpy as np

    found = [0.0] * len(texts)
    for doubtful in np.flatnonzero(_distinct_at_least(written) < limits["mild"]).tolist():
        found[doubtful] = _degeneration(texts[doubtful], limits)
    return found


def short(texts: Sequence[str], _: Written, limits: Limits) -> list[float]:
    """Which of the texts are next to nothing."""
    return [float(len(text.strip()) < limits["below"]) for text in texts]


def repeats(texts: Sequence[str], _: Written, limits: Limits) -> list[float]:
    """Which of the texts go round in circles."""
    length, times = int(limits["length"]), int(limits["times"])
    return [float(_is_repeated(text, length, times)) for text in texts]


def _degeneration(text: str, limits: Limits) -> float:
    words = text.split()
    if len(words) <= limits["longer_than"]:
        return 0.0
    share = len(set(words)) / len(words)
    return 1.0 if share < limits["severe"] else 0.5 if share < limits["mild"] else 0.0


def _distinct_at_least(written: Written) -> "npt.NDArray[np.float64]":
    """A share of distinct words that each text has at least: equal words have equal marks."""
    import numpy as np

    starts, marks = _marks(written.signs)
    count = len(written.starts)
    words = np.diff(np.append(np.searchsorted(starts, written.starts), len(starts)))
    cells = np.zeros(count * _CELLS, bool)
    cells[np.repeat(np.arange(count) * _CELLS, words) + marks] = True
    distinct = np.count_nonzero(cells.reshape(count, _CELLS), axis=1)
    shares: npt.NDArray[np.float64] = distinct / np.maximum(words, 1)
    return shares


def _marks(signs: "npt.NDArray[np.uint8]") -> "tuple[npt.NDArray[np.int64], npt.NDArray[Any]]":
    """Where every word begins, and a number below `_CELLS` by its letters and the first one."""
    import numpy as np

    weights = _weights()[signs]
    inside = weights != 0  # there is a blank behind each text, and so between two words
    inside[1:] &= ~inside[:-1]
    starts = np.flatnonzero(inside)
    found = np.zeros(0, np.uint32)
    if len(starts):
        found = np.add.reduceat(weights, starts, dtype=np.uint32)
    found ^= signs[starts] * np.uint32(_MIX[1])
    return starts, (found ^ found >> np.uint32(15)) * np.uint32(_MIX[2]) >> np.uint32(_SHIFT)


@cache
def _weights() -> "npt.NDArray[np.uint32]":
    """A number for every sign; none for a blank."""
    import numpy as np

    found = np.arange(1, 129, dtype=np.uint32) * np.uint32(_MIX[0])
    found ^= found >> np.uint32(15)
    found[list(b" \t\n\x0b\x0c\r")] = 0
    return found


def _is_repeated(text: str, length: int, times: int) -> bool:
    """Whether a run of `length` characters or more stands `times` times in a row.

    Such a run of p characters holds `times - 1` equal blocks that begin at multiples of p. For
    each p the blocks' hashes tell where that may be: n/p of them, so n log n in all.
    """
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if len(codes) < length * times or not _has_repeats(codes, length, times):
        return False
    powers = np.cumprod(np.full(len(codes), _BASE, np.uint64), dtype=np.uint64)
    sums = np.concatenate((np.zeros(1, np.uint64), (codes * powers).cumsum(dtype=np.uint64)))
    periods = range(length, len(codes) // times + 1)
    return any(_is_periodic(codes, sums, powers, p, times) for p in periods)


def _has_repeats(codes: "npt.NDArray[np.uint64]", length: int, times: int) -> bool:
    """Whether enough stretches of `length` characters stand more than once: a run's all do."""
    import numpy as np

    size = len(codes) - length + 1
    found = np.zeros(size, np.uint64)
    for at in range(length):
        found = found * np.uint64(_BASE) + codes[at : at + size]
    return size - len(np.unique(found)) >= length * (times - 1) - length + 1


def _is_periodic(
    codes: "npt.NDArray[np.uint64]",
    sums: "npt.NDArray[np.uint64]",
    powers: "npt.NDArray[np.uint64]",
    period: int,
    times: int,
) -> bool:
    import numpy as np

    blocks = len(codes) // period
    hashes = np.diff(sums[: blocks * period + 1 : period])
    # A block's hash is shifted by its place: the one before it, shifted once more, is equal.
    equal = hashes[:-1] * powers[period - 1] == hashes[1:]
    wanted = times - 2
    run = np.convolve(equal, np.ones(wanted, np.int64), "valid") == wanted
    for block in np.flatnonzero(run) if len(equal) >= wanted else ():
        begin = max(0, int(block - 1) * period)
        part = codes[begin : (int(block) + times + 1) * period]
        same = np.flatnonzero(np.append(part[:-period] != part[period:], True))
        if np.diff(np.append(-1, same)).max() - 1 >= period * (times - 1):
            return True
    return False
