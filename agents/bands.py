"""Bands: which texts have a number of their sketch in common, and so may be similar.

Knows neither texts nor how similar they are. They are told in order, one after the other, so that
who needs only the first of a thousand does not look at the others.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby
from typing import Generic, TypeVar

K = TypeVar("K", int, tuple[float, str, int])


class Bands(Generic[K]):
    """Keys of texts by the numbers of their bands."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[int, K | list[K]] = {}

    def add(self, bands: Sequence[int], key: K) -> None:
        """Take a text up."""
        for band in set(bands):
            held = self._held.setdefault(band, key)
            if isinstance(held, list):
                insort(held, key)
            elif held != key:  # most bands have one text, and need no list
                self._held[band] = sorted((held, key))

    def drop(self, bands: Sequence[int], key: K) -> None:
        """Take out a text that was taken up with these bands."""
        for band in set(bands):
            held = self._held[band]
            if not isinstance(held, list) or len(held) == 1:
                del self._held[band]
            else:
                del held[bisect_left(held, key)]

    def near(self, bands: Sequence[int]) -> Iterator[K]:
        """The texts that share a band, in the order of their keys, each once."""
        found = [self._held[band] for band in bands if band in self._held]
        if not found:  # as for most texts
            return iter(())
        lists = [held if isinstance(held, list) else [held] for held in found]
        return (key for key, _ in groupby(merge(*lists)))
