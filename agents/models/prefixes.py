"""What has been read of prompts, kept for the prompts that begin alike, within so many bytes."""

from collections import OrderedDict
from typing import Any, NamedTuple

_MOST = 64  # looking one up compares it with each


class Prefix(NamedTuple):
    """Tokens that a model has read."""

    length: int
    cache: list[Any]
    """One for each layer, of one row; it is merged into batches, which copies it."""
    nbytes: int
    """What it takes in memory, copies in batches aside."""


class Prefixes:
    """The prefixes that were used last."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """What all take in memory."""
        return sum(prefix.nbytes for prefix in self._held.values())

    def longest(self, tokens: tuple[int, ...]) -> Prefix | None:
        """The longest one that these tokens begin with."""
        fitting = (known for known in self._held if tokens[: len(known)] == known)
        found = max(fitting, key=len, default=None)
        if found is None:
            return None
        self._held.move_to_end(found)
        return self._held[found]

    def keep(self, tokens: tuple[int, ...], cache: list[Any], most_bytes: int) -> None:
        """Remember it, and forget those that were not used for longest to make room."""
        self._held[tokens] = Prefix(len(tokens), cache, sum(each.nbytes for each in cache))
        while len(self._held) > 1 and (len(self._held) > _MOST or self.nbytes > most_bytes):
            self._held.popitem(last=False)

    def forget(self) -> None:
        """Let all of them go."""
        self._held.clear()
