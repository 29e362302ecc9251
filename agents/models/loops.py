"""A model that goes round in circles is noticed while it writes, before it eats its tokens."""

from typing import Any

LONGEST = 256
"""Tokens in a circle, at most."""

TIMES = 4
"""So often in a row is a circle; prose may say a thing three times."""

FEWEST = 48
"""Tokens in all rounds together, so that a row of dashes or a short list is no circle."""


class Loop:
    """Watches the tokens of one answer; each takes the same time, however many came before."""

    def __init__(self) -> None:
        import numpy as np

        self._last: Any = np.full(LONGEST, -1, np.int64)  # a ring, the newest at `_at`
        self._runs: Any = np.zeros(LONGEST, np.int64)
        self._needed: Any = np.maximum(np.arange(1, LONGEST + 1) * (TIMES - 1), FEWEST)
        self._at = 0

    def closes(self, token: int) -> bool:
        """Whether with this token a circle has gone round often enough."""
        import numpy as np

        same = self._last == token
        before = np.roll(
            same[::-1], self._at
        )  # before[p - 1]: whether the one p tokens back is equal
        self._runs = (self._runs + 1) * before
        self._last[self._at] = token
        self._at = (self._at + 1) % LONGEST
        return bool((self._runs >= self._needed).any())
