"""Speed, as ratios against a named rival or a limit, measured in one run: `make bench`."""

import statistics
from collections.abc import Callable
from pathlib import Path


def disk() -> Path:
    """A folder on the disk that the project is on: /tmp may be memory, where no write waits."""
    folder = Path(__file__).resolve().parent.parent.parent / ".lem"
    folder.mkdir(exist_ok=True)
    return folder


def paired(
    ours: Callable[[], float], rival: Callable[[], float], *, rounds: int
) -> dict[str, float]:
    """Both rates, round by round in turns: the medians, and the median of the rounds' ratios.

    A machine's speed drifts; two runs side by side drift together.
    """
    pairs = [(rival(), ours()) for _ in range(rounds)]
    return {
        "ours": statistics.median(mine for _, mine in pairs),
        "rival": statistics.median(theirs for theirs, _ in pairs),
        "ratio": statistics.median(mine / theirs for theirs, mine in pairs),
    }
