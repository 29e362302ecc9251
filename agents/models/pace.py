"""How many rows are decoded at once: as many as give the most tokens a second, by measuring."""

_FIRST = 8
_STEPS = 32  # that a size is measured for
_GAIN = 1.05  # a larger size takes memory, and must be worth it
_NEARLY = 0.75  # of a size; rows come and go in between
_FORGET = 4096  # steps; as answers grow, or the load changes, another size may be best


class Pace:
    """Goes up while that pays, down while it costs nothing, and looks again now and then."""

    def __init__(self, most: int) -> None:
        """Begin with a few.

        Args:
            most: Rows at once, whatever is measured; at least 1.
        """
        sizes = [2**power for power in range(most.bit_length())]
        self._sizes = sizes if sizes[-1] == most else [*sizes, most]
        self.size = min(_FIRST, most)
        """Rows at once, for now."""
        self._rates: dict[int, float] = {}
        self._settled = False
        self._begin()

    def told(self, rows: int, seconds: float) -> None:
        """Learn how long a step with so many rows took.

        It says nothing with few rows, nor with those that are left of a larger size.
        """
        self._steps += 1
        if self._settled and self._steps >= _FORGET:
            self._rates.clear()
            self._settled = False
            self._begin()
        elif not self._settled and _NEARLY * self.size <= rows <= self.size:
            self._full += 1
            self._rows += rows
            self._seconds += seconds
            if self._full >= _STEPS:
                self._rates[self.size] = self._rows / max(self._seconds, 1e-9)
                self._choose()

    def _choose(self) -> None:
        """The size to measure next, or the best one where both its neighbours are known."""
        enough = max(self._rates.values()) / _GAIN
        best = min(size for size, rate in self._rates.items() if rate >= enough)
        at = self._sizes.index(best)
        neighbours = self._sizes[at + 1 : at + 2] + self._sizes[max(0, at - 1) : at]
        unknown = [size for size in neighbours if size not in self._rates]
        self.size = unknown[0] if unknown else best
        self._settled = not unknown
        self._begin()

    def _begin(self) -> None:
        self._rows = self._full = self._steps = 0
        self._seconds = 0.0
