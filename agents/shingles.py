"""Shingles: the runs of words in a text as numbers, and the few of them that stand for all.

Everything is integer arithmetic modulo 2^64 and 2^32 with constants that stand here, so that a
text has the same numbers on every machine and with every release of NumPy: decisions hang on them,
and `tests/unit/agents/test_shingles.py` holds them against written-down values.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BANDS, ROWS = 12, 5
"""Two texts are compared where the least hashes of one band are equal: at a similarity of 0.8 with
a probability of 0.991, at 0.9 of 0.99999, at 0.2 of 0.004."""

Hashes = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15  # odd, and so with an inverse
_MASK = 2**64 - 1
_BLANK = 32
_TOGETHER = 32 * 1024  # bytes hashed in one go: what a core's first caches hold
_WIDE = 4096  # hashes of which the least are looked for in one go


class Sketch(NamedTuple):
    """What is kept of a text."""

    shingles: Hashes
    """The hashes of its shingles, in order, each once."""

    bands: list[int]
    """A number for each band."""


def sketches(texts: Sequence[str], words: int) -> list[Sketch]:
    """The sketch of each text, by its runs of so many words; of a shorter text by all its words.

    Args:
        texts: Normalised, as by `agents.rules.normalised`: a blank is between two words.
        words: Of a shingle.
    """
    found = [each for part in _parts(texts) for each in _shingles(part, words)]
    numbers = _bands(np.stack([_least(each) for each in found])) if found else []
    return [Sketch(*pair) for pair in zip(found, numbers, strict=True)]


def bands(shingles: Hashes) -> list[int]:
    """Those of a text whose shingles are known."""
    return _bands(_least(shingles))[0]


def jaccard(one: Hashes, other: Hashes) -> float:
    """The share of the shingles of both that is in both: 1.0 for equal sets."""
    both = np.concatenate((one, other))
    both.sort()
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / (len(both) - shared)


def _parts(texts: Sequence[str]) -> Iterator[list[bytes]]:
    """The texts in UTF-8, some together."""
    part: list[bytes] = []
    size = 0
    for text in texts:
        part.append(text.encode(errors="surrogatepass"))
        size += len(part[-1]) + 1
        if size >= _TOGETHER:
            yield part
            part, size = [], 0
    if part:
        yield part


def _shingles(texts: list[bytes], words: int) -> Iterator[Hashes]:
    """A shingle is the stretch of the text from its first word to its last.

    Its hash is a polynomial over its bytes, as the difference of two sums that all share.
    """
    data = np.frombuffer(b" ".join(texts), np.uint8)
    powers, inverses = _powers(len(data))
    sums = np.zeros(len(data) + 1, np.uint64)
    np.cumsum((data + np.uint64(1)) * powers[: len(data)], out=sums[1:])
    ends = np.append(np.flatnonzero(data == _BLANK), len(data))
    starts = np.concatenate(([0], ends[:-1] + 1))
    counts = np.array([text.count(b" ") + 1 for text in texts])
    firsts = np.cumsum(counts) - counts
    last = np.repeat(firsts + counts - 1, counts)  # of the text that a word is in
    to = ends[np.minimum(np.arange(len(starts)) + words - 1, last)]
    hashes = _mixed((sums[to] - sums[starts]) * inverses[starts])
    for first, count in zip(firsts.tolist(), counts.tolist(), strict=True):
        yield _once(hashes[first : first + max(1, count - words + 1)])


def _once(hashes: Hashes) -> Hashes:
    found = np.sort(hashes)
    is_first = np.ones(len(found), np.bool_)
    np.not_equal(found[1:], found[:-1], out=is_first[1:])
    return found[is_first]


def _least(shingles: Hashes) -> NDArray[np.uint32]:
    """MinHash: the least of the shingles' numbers, in each of so many orders."""
    factors, terms = _orders()
    high = (shingles >> np.uint64(32)).astype(np.uint32)
    parts = (high[at : at + _WIDE] for at in range(0, len(high), _WIDE))
    least: NDArray[np.uint32] = reduce(np.minimum, ((x * factors + terms).min(1) for x in parts))
    return least


def _bands(least: "NDArray[np.uint32]") -> list[list[int]]:
    """The numbers of each band as one; equal ones of two bands are not the same."""
    rows = least.reshape(-1, BANDS, ROWS).astype(np.uint64)
    numbers = np.arange(BANDS, dtype=np.uint64)
    for row in range(ROWS):
        numbers = _mixed(numbers + rows[:, :, row])
    found: list[list[int]] = numbers.reshape(-1, BANDS).tolist()
    return found


def _mixed(numbers: Hashes) -> Hashes:
    """Every bit made to depend on every other; different numbers stay different."""
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        numbers = (numbers ^ (numbers >> np.uint64(31))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Those of the base and of its inverse, from 0 to `size` and beyond."""
    return _series(2 * _TOGETHER) if size < 2 * _TOGETHER else _series.__wrapped__(size + 1)


@lru_cache(maxsize=1)
def _series(size: int) -> tuple[Hashes, Hashes]:
    powers, inverses = (np.full(size, base, np.uint64) for base in (_BASE, pow(_BASE, -1, 2**64)))
    powers[0] = inverses[0] = 1
    return np.cumprod(powers), np.cumprod(inverses)


@lru_cache(maxsize=1)
def _orders() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """A factor and a term for each order, in columns."""
    drawn = _mixed(np.arange(1, 2 * BANDS * ROWS + 1, dtype=np.uint64) * np.uint64(_BASE))
    numbers = (drawn >> np.uint64(32)).astype(np.uint32).reshape(2, -1, 1)
    return numbers[0] | np.uint32(1), numbers[1]
