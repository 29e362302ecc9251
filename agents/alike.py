"""Alike: finds, among the texts so far, those that are similar to a new one.

What may be similar is found by MinHash and bands; how similar it is, is counted. So a similarity
is exact, and a pair can only be missed, whichever of the two comes first. The shingles lie in a
temporary file; of each text about one KB is in memory.
"""

import os
import tempfile

import numpy as np

from agents.shingles import Hashes, Sketch, jaccard

_HASH_BYTES = 8


class Alike:
    """The texts of one phase and policy, by numbers that count from 0."""

    def __init__(self, similarity: float) -> None:
        """Begin with none.

        Args:
            similarity: Below it, texts are not similar.
        """
        self._bound = similarity
        self._bands: dict[int, int | list[int]] = {}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it goes with the object
        self._ends = [0]

    def add(self, sketch: Sketch) -> int:
        """Take a text up; its number."""
        number = len(self._ends) - 1
        for band in sketch.bands:
            held = self._bands.setdefault(band, number)
            if isinstance(held, list):
                held.append(number)
            elif held != number:
                self._bands[band] = [held, number]
        self._file.write(sketch.shingles.tobytes())
        self._ends.append(self._ends[-1] + len(sketch.shingles))
        return number

    def candidates(self, sketch: Sketch) -> set[int]:
        """The texts that share a band: all that may be similar."""
        found: set[int] = set()
        for band in sketch.bands:
            held = self._bands.get(band)
            if isinstance(held, list):
                found.update(held)
            elif held is not None:
                found.add(held)
        return found

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
