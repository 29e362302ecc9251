"""What a rescore is made of, each part alone, on a log with generations and their scores.

Afterwards the log has scores by a scorer that there is not.

Run: python -m tests.bench.parts HOME
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from agents.rescore import Choice, Row, scored, unscored
from agents.scorers import Scorer, scorer
from streams.config import Settings
from streams.envelope import written
from streams.log.store import EmbeddedStore
from streams.origin import origin
from streams.replay import Views, opened

_SAMPLE = 50_000  # generations that are scored, and whose scores are written

T = TypeVar("T")


def parts(home: Path) -> dict[str, dict[str, float]]:
    """What each part takes a generation; refreshing makes the columns of their scores as well."""
    # A definition of its own: what it is asked for is always missing.
    by = msgspec.structs.replace(scorer("lek@2.1"), version="bench", definition="0" * 64)
    shutil.rmtree(home / "columns", ignore_errors=True)
    with closing(EmbeddedStore(Settings(home=str(home)).log_path)) as store, ExitStack() as entered:
        count = store.records("generations")
        refresh, views = _timed(lambda: entered.enter_context(opened(store, home)), count)
        read, sample = _timed(lambda: _read(views, by), count)
        score, facts = _timed(lambda: scored(sample, by, origin()), len(sample))
        write, _ = _timed(lambda: sum(written(store, facts)), len(sample))
    return {"refresh": refresh, "read": read, "score": score, "write": write}


def _read(views: Views, by: Scorer) -> list[Row]:
    """Read all of them, and keep the first ones."""
    coming = (row for rows in unscored(views, by, Choice()) for row in rows)
    sample = list(islice(coming, _SAMPLE))
    for _ in coming:
        pass
    return sample


def _timed(work: Callable[[], T], count: int) -> tuple[dict[str, float], T]:
    """What it took a generation, in real time and on all cores together; and what it made."""
    began = time.perf_counter(), time.process_time()
    done = work()
    wall_s, cpu_s = time.perf_counter() - began[0], time.process_time() - began[1]
    return {"per_s": count / wall_s, "cpu_us": cpu_s / count * 1e6}, done


if __name__ == "__main__":
    print(json.dumps(parts(Path(sys.argv[1]))))
