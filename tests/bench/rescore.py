"""A log of generations of real text: rescored, its views refreshed, two scorers compared.

The end to end is that of the commands, each in a process of its own, begun without a columnar copy;
its rival is the plain implementation on one core, which only scores, and reads and writes nothing.

Run: python -m tests.bench.rescore [--generations N]
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from agents.scorers.definition import load
from schemas import Generated, Kernel, Requested
from streams.config import Settings
from streams.ids import digest, sealed
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests import oracle
from tests.bench import disk
from tests.bench.child import Cost, cost
from tests.bench.texts import recombined, sentences
from tests.events import generated, put, requested, started
from tests.lem import command, environment
from tests.unit.agents.tables import TABLES

MILLION = 1_000_000

_CHARACTERS = 2000  # of a response
_AT_ONCE = 2000
_PLAIN = 300  # texts that the plain implementation scores, before and afterwards
_OLD, _NEW = "lek@2", "lek@2.1"
_STEPS = {
    "rescore": ("rescore", "--scorer", _NEW),
    "refresh": ("sql", "select scorer, count(*), avg(score) from scored_generations group by 1"),
    "compare": ("compare", _OLD, _NEW),
}


def rates(generations: int = MILLION) -> dict[str, Any]:
    """Generations per second end to end, by command and by part; memory at each one's peak.

    `ratio` is of real time, and so of all cores to one; `ratio_per_core` of the time of cores.
    """
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        home = Path(folder) / "home"
        began = time.perf_counter()
        fill(home, generations)
        filled_s = time.perf_counter() - began
        before = _plain()
        costs = {step: _lem(home, *arguments) for step, arguments in _STEPS.items()}
        plain = [fmean(pair) for pair in zip(before, _plain(), strict=True)]
        alone = cost([sys.executable, "-m", "tests.bench.parts", str(home)], _all_cores(home))
        log_mb = Settings(home=str(home)).log_path.stat().st_size / 1e6
    wall_s = sum(each.wall_s for each in costs.values())
    cpu_s = sum(each.cpu_s for each in costs.values())
    return {
        "generations": generations,
        "filled_s": filled_s,
        "log_mb": log_mb,
        "ours": generations / wall_s,
        "rival": plain[0],
        "ratio": generations / wall_s / plain[0],
        "ratio_per_core": generations / cpu_s / plain[1],
        "commands": {step: _by(each, generations) for step, each in costs.items()},
        "parts": json.loads(alone.said),
    }


def _by(found: Cost, generations: int) -> dict[str, float]:
    return {
        "per_s": generations / found.wall_s,
        "cpu_us": found.cpu_s / generations * 1e6,
        "peak_mb": found.peak_mb,
        "together_mb": found.together_mb,
    }


def fill(home: Path, generations: int) -> None:
    """A log with a run of so many answers, and their scores by the first scorer; no columns."""
    chance, parts = random.Random(1), sentences()
    kernel = Kernel(name="lek-1.json", digest=digest("kernel"), text="kernel")
    asked = requested(kernel_digest=kernel.digest)
    with closing(EmbeddedStore(Settings(home=str(home)).log_path)) as store:
        for topic in TOPICS:
            store.declare(topic, 1)
        put(store, started(kernel=kernel, requests=generations))
        for start in range(0, generations, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, generations))
            requests = [sealed(msgspec.structs.replace(asked, sample=n)) for n in numbers]
            texts = [recombined(chance, parts, _CHARACTERS) for _ in requests]
            put(store, *map(_answer, requests, texts))
    _lem(home, "rescore", "--scorer", _OLD)
    shutil.rmtree(home / "columns")


def _answer(request: Requested, text: str) -> Generated:
    return generated(request, response=text)


def _lem(home: Path, *arguments: str) -> Cost:
    return cost(command(*arguments), _all_cores(home))


def _all_cores(home: Path) -> dict[str, str]:
    """Another measurement may have left word that polars is to take one core."""
    found = environment(home)
    found.pop("POLARS_MAX_THREADS", None)
    return found


def _plain() -> tuple[float, float]:
    """Texts that the plain implementation scores in a second, and in a second of a core."""
    definition, chance, parts = load(TABLES / f"{_NEW}.yaml"), random.Random(2), sentences()
    texts = [recombined(chance, parts, _CHARACTERS) for _ in range(_PLAIN)]
    began = time.perf_counter(), time.process_time()
    for text in texts:
        oracle.score(definition, text)
    ended = time.perf_counter(), time.process_time()
    return len(texts) / (ended[0] - began[0]), len(texts) / (ended[1] - began[1])


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--generations", type=int, default=MILLION)
    print(json.dumps(rates(given.parse_args().generations), indent=2))
