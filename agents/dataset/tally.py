"""What is in a dataset, counted while it is written: for its card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

TOLD = ("domain", "language", "model", "variant")
"""The columns that the card counts by."""


class Tally:
    """Counts rows, their words and their scores, by split."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in TOLD}
        """By column: how many rows each value has in each split, as `(value, split)`."""
        self.originals: dict[str, set[str]] = {}
        self.words: dict[str, list[int]] = {}
        self.scores: dict[str, list[float]] = {}

    def add(self, columns: Mapping[str, Sequence[Any]], responses: "pa.Array[Any]") -> None:
        """Count rows of one split; their responses come as Arrow has them."""
        split = columns["split"][0]
        for name, counted in self.rows.items():
            counted.update(zip(columns[name], columns["split"], strict=True))
        self.originals.setdefault(split, set()).update(columns["original"])
        self.words.setdefault(split, []).extend(words(responses).tolist())
        self.scores.setdefault(split, []).extend(columns["score"])


def words(texts: "pa.Array[Any]") -> "NDArray[np.int64]":
    """How many words each text has: runs without a blank, whatever is in them."""
    import numpy as np

    _, places, data = texts.buffers()
    if places is None or data is None:
        return np.zeros(len(texts), np.int64)
    offsets = np.frombuffer(memoryview(places), np.int32)[
        texts.offset : texts.offset + len(texts) + 1
    ]
    found = np.frombuffer(memoryview(data), np.uint8)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    is_word = found > ord(" ")
    begins = is_word.copy()
    begins[1:] &= ~is_word[:-1]
    heads = offsets[:-1][offsets[:-1] < len(found)]
    begins[heads] = is_word[heads]  # a text's first word has no blank before it
    counts: NDArray[np.int64] = np.diff(np.searchsorted(np.flatnonzero(begins), offsets))
    return counts
