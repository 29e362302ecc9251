"""The lineage of a row on a log of many events: all that led to it and came of it.

Run: python -m tests.bench.lineage [--events N]
"""

import argparse
import random
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from schemas.base import Fact
from streams.cli.explain import _causes
from streams.config import Settings
from streams.envelope import event
from streams.lineage import Lineage
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests.bench import disk
from tests.bench.child import cost
from tests.events import decided, deduped, generated, probed, put, requested, scored, started
from tests.lem import command, environment

MILLION = 1_000_000

_EACH = 5  # events of a row: request, generation, score, two decisions
_ROWS = 200  # that are looked up


def measured(events: int = MILLION) -> dict[str, Any]:
    """Seconds for one row (median and worst of many), for the index, and for `lem explain`."""
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        home = Path(folder) / "home"
        with closing(EmbeddedStore(Settings(home=str(home)).log_path)) as store:
            rows = fill(store, events // _EACH)
            with closing(Lineage(store, home)) as lineage:
                began = time.perf_counter()
                lineage.read_on()
                index_s = time.perf_counter() - began
                took = [_looked_up(store, lineage, row) for row in rows]
        command_s = cost(command("explain", rows[0]), environment(home, None)).wall_s
    return {
        "events": events,
        "index_s": index_s,
        "row_s": median(took),
        "worst_row_s": max(took),
        "command_s": command_s,
    }


def fill(store: EmbeddedStore, count: int) -> list[str]:
    """Put so many rows onto a new log; some of their generations, drawn at random."""
    for topic in TOPICS:
        store.declare(topic, 1)
    probes = [probed(f"P{number:03}") for number in range(100)]
    put(store, started(), *probes)
    chance, drawn = random.Random(5), list[str]()
    facts: list[Fact] = []
    for number in range(count):
        asked = requested(probes[number % 100], sample=number)
        answer = generated(asked, response=f"However, answer {number} depends on it. " * 8)
        told = scored(answer, number % 300 / 10)
        gate = decided(told)
        facts += [asked, answer, told, gate, deduped(gate)]
        if number == 0 or chance.random() < _ROWS / count:
            drawn.append(answer.id)
        if len(facts) > 5000 or number == count - 1:
            put(store, *facts)
            facts = []
    return drawn


def _looked_up(store: EmbeddedStore, lineage: Lineage, generation: str) -> float:
    began = time.perf_counter()
    (record,) = store.find(generation)
    lineage.read_on()
    causes, effects = _causes(store, event(record)), lineage.effects(generation)
    took = time.perf_counter() - began
    assert (len(causes), len(effects)) == (2, 3)
    return took


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=MILLION)
    for name, value in measured(parser.parse_args().events).items():
        print(f"{name:12} {value:,.4f}")
