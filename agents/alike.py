"""Alike: how similar a text is to those so far.

It is counted, so that a similarity is exact; what to count it for, `agents.bands` finds. The
shingles lie in a temporary file.
"""

import os
import tempfile
from array import array

import numpy as np

from agents.shingles import Hashes, Sketch, bands, jaccard

_HASH_BYTES = 8


class Alike:
    """The texts of one phase and policy, by numbers that count from 0."""

    def __init__(self, similarity: float) -> None:
        """Begin with none.

        Args:
            similarity: Below it, texts are not similar.
        """
        self._bound = similarity
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it goes with the object
        self._ends = array("q", [0])

    def add(self, sketch: Sketch) -> int:
        """Take a text up; its number."""
        self._file.write(sketch.shingles.tobytes())
        self._ends.append(self._ends[-1] + len(sketch.shingles))
        return len(self._ends) - 2

    def bands(self, number: int) -> list[int]:
        """Those of a text so far."""
        return bands(self._read(number))

    def similarity(self, sketch: Sketch, number: int) -> float | None:
        """That of a text so far to this one; none where it is below the bound."""
        mine, theirs = len(sketch.shingles), self._ends[number + 1] - self._ends[number]
        # Equal numbers of shingles are the most that can be shared.
        if min(mine, theirs) < self._bound * max(mine, theirs):
            return None
        found = jaccard(sketch.shingles, self._read(number))
        return found if found >= self._bound else None

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _read(self, number: int) -> Hashes:
        start, end = self._ends[number], self._ends[number + 1]
        self._file.flush()
        held = os.pread(self._file.fileno(), (end - start) * _HASH_BYTES, start * _HASH_BYTES)
        return np.frombuffer(held, np.uint64)
