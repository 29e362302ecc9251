"""Appending to the embedded log, against SQLite alone with the same durability."""

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streams.ids import digest
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from tests.bench import disk, paired

_BATCH = 500
_BYTES = 2048  # of a value; a generation of 300 words
_ROUNDS = 7


def ratio(records: int = 20_000) -> dict[str, float]:
    """Records per second of both, and ours by theirs."""
    chance = random.Random(1)
    value = bytes(chance.randrange(32, 127) for _ in range(_BYTES))
    drafts = [
        Draft("probes", value, b"key-%d" % n, (("lem-type", b"probed"),), event_id=digest(n)[:32])
        for n in range(records)
    ]
    return paired(
        lambda: records / _timed(_append, drafts),
        lambda: records / _timed(_executemany, drafts),
        rounds=_ROUNDS,
    )


def _timed(write: Callable[[Path, list[Draft]], None], drafts: list[Draft]) -> float:
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        began = time.perf_counter()
        write(Path(folder) / "log.db", drafts)
        return time.perf_counter() - began


def _append(path: Path, drafts: list[Draft]) -> None:
    store = EmbeddedStore(path)
    store.declare("probes", 1)
    for start in range(0, len(drafts), _BATCH):
        store.append(drafts[start : start + _BATCH])
    store.close()


def _executemany(path: Path, drafts: list[Draft]) -> None:
    """The same records in one table that can be read from an offset: no event ids, no checks."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma page_size = 8192")
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute(
        "create table records (topic integer, partition integer, offset integer, at_ms integer,"
        " key blob, value blob, headers blob, primary key (topic, partition, offset))"
    )
    for start in range(0, len(drafts), _BATCH):
        at_ms = time.time_ns() // 1_000_000
        part = enumerate(drafts[start : start + _BATCH], start)
        db.execute("begin immediate")
        db.executemany(
            "insert into records values (1, 0, ?, ?, ?, ?, ?)",
            [(offset, at_ms, d.key, d.value, d.headers[0][1]) for offset, d in part],
        )
        db.execute("commit")
    db.close()
