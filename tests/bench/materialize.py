"""A dataset of 100,000 rows, JSONL and Parquet, against DuckDB's own COPY of the same rows.

Both take the rows out of the views, in their order. DuckDB copies them to JSON and to Parquet, a
query each. Ours draws their splits as well, looks at each for a leak of the kernel, and hashes and
counts what it writes.

Run: python -m tests.bench.materialize [ROWS]
"""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kernel
from agents.dataset.checks import checks
from agents.dataset.chosen import batches, choose
from agents.dataset.files import write
from agents.dataset.recipe import now
from schemas import Kernel
from schemas.base import Fact
from streams.config import Settings
from streams.curriculum import Phase
from streams.envelope import written
from streams.ids import digest
from streams.log.store import EmbeddedStore
from streams.replay import Views, opened
from streams.topics import TOPICS
from tests.bench import disk, paired
from tests.bench.texts import recombined, sentences
from tests.events import KERNEL, decided, deduped, generated, probed, requested, scored, started
from tests.made import phase

_CHARACTERS = 1_600  # of a response, as real ones have
_SAMPLES = 10
_ROUNDS = 3


def measured(rows: int = 100_000) -> dict[str, Any]:
    """Rows per second of both, ours by theirs, and the seconds that each part of ours takes."""
    under = phase()
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        home = Path(folder)
        store = EmbeddedStore(Settings(home=str(home)).log_path)
        try:
            for topic in TOPICS:
                store.declare(topic, 1)
            sum(written(store, _events(under, rows), batch=2_000))
            with opened(store, home, now(under).policies) as views:
                return _compared(store, views, under, home, rows)
        finally:
            store.close()


def _compared(
    store: EmbeddedStore, views: Views, under: Phase, home: Path, rows: int
) -> dict[str, Any]:
    parts: dict[str, list[float]] = {"choose": [], "write": [], "look": []}

    def ours() -> float:
        began = time.perf_counter()
        choose(views, under)
        chosen = time.perf_counter()
        looking = 0.0
        every = checks(store, views, under)

        def look(columns: Any) -> None:
            nonlocal looking
            since = time.perf_counter()
            for each in every:
                assert not list(each.refused(columns))
            looking += time.perf_counter() - since

        done = write(batches(views), _empty(home / "ours"), look)
        ended = time.perf_counter()
        assert len(done.generations) == rows
        for name, took in (
            ("choose", chosen - began),
            ("look", looking),
            ("write", ended - chosen - looking),
        ):
            parts[name].append(took)
        return rows / (ended - began)

    admitted = f"admitted where phase = '{under.name}'"
    found = paired(ours, lambda: rows / _copied(views, home, admitted), rounds=_ROUNDS)
    return {**found, **{f"{name}_s": min(took) for name, took in parts.items()}, "rows": rows}


_COPIED = """
select [{{role: 'user', content: prompt}}, {{role: 'assistant', content: response}}] as messages,
  generation, probe, original, model, score
from {rows} order by original, probe, sample, generation"""


def _copied(views: Views, home: Path, rows: str) -> float:
    """How long DuckDB takes for both formats; with the memory that ours has it gives up."""
    folder, select = _empty(home / "rival"), _COPIED.format(rows=rows)
    (ours,) = views.db.execute("select current_setting('memory_limit')").fetchone() or ("",)
    views.db.execute("set memory_limit = '4GB'")
    began = time.perf_counter()
    views.db.execute(f"copy ({select}) to '{folder}/rows.jsonl' (format json)")
    kind = "format parquet, compression zstd"
    views.db.execute(f"copy ({select}) to '{folder}/rows.parquet' ({kind})")
    took = time.perf_counter() - began
    views.db.execute(f"set memory_limit = '{ours}'")
    return took


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _events(under: Phase, rows: int) -> Iterator[Fact]:
    chance, parts = random.Random(1), sentences()
    text = kernel.text(KERNEL)
    yield started(kernel=Kernel(name=KERNEL, digest=digest(text), text=text))
    for number in range(rows):
        probe = probed(f"P{number // _SAMPLES:05}", domain=f"D{number % 7}")
        asked = requested(probe, sample=number % _SAMPLES)
        answer = generated(asked, response=recombined(chance, parts, _CHARACTERS))
        score = scored(answer, 24 + number % 60 / 10)
        gate = decided(score, policy=under.policy)
        if number % _SAMPLES == 0:
            yield probe
        yield from (answer, score, gate, deduped(gate))


if __name__ == "__main__":
    print(measured(*map(int, sys.argv[1:])))
