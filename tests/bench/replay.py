"""From the log to Parquet, against reading the same values with SQLite and orjson alone.

Both read the same log in one run, in turns. Ours reads the
records, checks every event, and writes, compresses and syncs the files.

Run: python -m tests.bench.replay
"""

import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from streams.envelope import draft
from streams.log.door import Store
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.parquet import FILE_RECORDS, copied
from streams.topics import GENERATIONS
from tests.bench import disk, paired
from tests.events import generated, probed, requested

_VOCABULARY = 5_000
_RESPONSE_WORDS, _PROMPT_WORDS = 375, 50  # of 6.5 letters on average: events of 3.7 KB
_ROUNDS = 7


def ratio(events: int = 20_000) -> dict[str, float]:
    """Events per second of both, and ours by theirs; rounded up to whole files of the copy."""
    events += -events % FILE_RECORDS
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        home = Path(folder)
        store = EmbeddedStore(home / "log.db")
        size_bytes = fill(store, events)
        store.close()
        found = paired(
            lambda: events / _timed(_copy, _without_copy(home)),
            lambda: events / _timed(_load, home),
            rounds=_ROUNDS,
        )
    return found | {"event_bytes": size_bytes / events}


def drafts(events: int) -> Iterator[list[Draft]]:
    """Generations by the thousand, the same ones each time."""
    chance = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 11))) for _ in range(_VOCABULARY)]
    for start in range(0, events, 1000):
        yield [_draft(chance, words) for _ in range(min(1000, events - start))]


def fill(store: Store, events: int) -> int:
    """Append so many of them; how many bytes their values have."""
    store.declare(GENERATIONS.name, 1)
    size_bytes = 0
    for part in drafts(events):
        size_bytes += sum(len(each.value or b"") for each in part)
        store.append(part)
    return size_bytes


def _draft(chance: random.Random, words: list[str]) -> Draft:
    prompt = " ".join(chance.choices(words, k=_PROMPT_WORDS))
    response = " ".join(chance.choices(words, k=_RESPONSE_WORDS))
    return draft(generated(requested(probed(prompt=prompt)), response=response))


def _load(home: Path) -> None:
    db = sqlite3.connect(home / "log.db")
    for (value,) in db.execute("select value from records order by seq"):
        orjson.loads(value)
    db.close()


def _copy(home: Path) -> None:
    store = EmbeddedStore(home / "log.db")
    copied(store, home, store.ends())
    store.close()


def _without_copy(home: Path) -> Path:
    shutil.rmtree(home / "columns", ignore_errors=True)
    return home


def _timed(work: Callable[[Path], None], home: Path) -> float:
    began = time.perf_counter()
    work(home)
    return time.perf_counter() - began


if __name__ == "__main__":
    print(ratio())
