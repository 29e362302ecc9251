"""Dedup from text to verdict: how many a second, how much is found, in how much memory.

Both get the same texts of about 1.6 KB, a fifth of them copies with some words changed, one after
the other as they arrive. Ours decides in full; the rival, datasketch with as many hashes, shingles,
looks for what is similar and takes the text up.

Run: python -m tests.bench.dedup [--texts N]
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from importlib import import_module
from itertools import combinations, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from agents.dedup import Kept, Passed
from agents.rules import normalised
from agents.shingles import BANDS, ROWS, sketches
from streams.config import Settings
from streams.curriculum import Curriculum, Phase, load
from streams.duplicate import Duplicate
from streams.ids import digest
from streams.log.store import EmbeddedStore
from tests.bench import paired
from tests.bench.child import cost
from tests.lem import environment

TEXTS = 4000
SIMILARITY = 0.8

_WORDS = 250
_RIVAL = 400  # texts: it is slow
_SAMPLE = 1000  # texts of which all pairs are compared
_TOGETHER = 500
_ROUNDS = 3


def ratio(texts: int = TEXTS) -> dict[str, float]:
    """Texts per second of a core, and ours by theirs; the share of similar pairs that are found."""
    found = list(written(texts))

    def ours() -> float:
        began = time.process_time()
        decide(found)
        return len(found) / (time.process_time() - began)

    def theirs() -> float:
        began = time.process_time()
        _datasketch(found[:_RIVAL])
        return _RIVAL / (time.process_time() - began)

    return {**paired(ours, theirs, rounds=_ROUNDS), "recall": recall(found[:_SAMPLE])}


def large(texts: int) -> dict[str, float]:
    """So many texts decided in a process of its own: a second of a core, and memory at its peak."""
    program = [sys.executable, "-m", "tests.bench.dedup", "--decide", str(texts)]
    done = cost(program, environment(Path.cwd()))
    return {"texts": texts, "peak_mb": done.peak_mb, **json.loads(done.said)}


def written(count: int) -> Iterator[str]:
    """Words as frequent as in a language; each fifth text is a copy, up to 12 words changed."""
    chance = random.Random(1)
    words = [f"{chance.choice('bcdfglmnprst')}{'aeiou'[n % 5]}{n:x}" for n in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(20_000)]
    recent: list[list[str]] = []
    for number in range(count):
        if number % 5 == 4:
            text = chance.choice(recent).copy()
            for _ in range(chance.randrange(13)):
                text[chance.randrange(len(text))] = chance.choice(words)
        else:
            text = chance.choices(words, weights, k=_WORDS)
        recent = [*recent[-99:], text]
        yield " ".join(text)


def decide(texts: Iterable[str]) -> int:
    """Decide on all of them, as `lem gate` does; how many are duplicates."""
    curriculum = _curriculum()
    (phase,) = curriculum.phases.values()
    policy = phase.policy
    given = ((_passed(phase, policy, number), text) for number, text in enumerate(texts))
    rejected: set[str] = set()
    with (
        TemporaryDirectory() as folder,
        closing(EmbeddedStore(Path(folder) / "log.db")) as store,
        closing(Kept(store, curriculum)) as kept,
    ):
        while batch := list(islice(given, _TOGETHER)):
            said = kept.decide_all(batch)
            rejected.update(each.generation for each in said if each.verdict == "rejected")
    return len(rejected)


def recall(texts: Sequence[str]) -> float:
    """Of all pairs that are similar, counted one by one, the share that the bands find."""
    sets = [_shingles(text) for text in texts]
    similar = [
        (one, other)
        for one, other in combinations(range(len(sets)), 2)
        if len(both := sets[one] & sets[other]) >= SIMILARITY * len(sets[one])
        and len(both) >= SIMILARITY * len(sets[one] | sets[other])
    ]
    bands = [set(sketch.bands) for sketch in sketches([*map(normalised, texts)], Duplicate().words)]
    return sum(not bands[one].isdisjoint(bands[other]) for one, other in similar) / len(similar)


def _datasketch(texts: Sequence[str]) -> int:
    library = import_module("datasketch")
    hashes = BANDS * ROWS
    index = library.MinHashLSH(num_perm=hashes, params=(BANDS, ROWS))
    rejected = 0
    for number, text in enumerate(texts):
        sketch = library.MinHash(num_perm=hashes)
        sketch.update_batch([" ".join(run).encode() for run in _shingles(text)])
        rejected += bool(index.query(sketch))
        index.insert(str(number), sketch)
    return rejected


def _shingles(text: str) -> set[tuple[str, ...]]:
    words, size = normalised(text).split(), Duplicate().words
    return set(zip(*(words[start:] for start in range(size)), strict=False))


def _curriculum() -> Curriculum:
    phase = load(Path(Settings().curriculum)).phase("1")
    gate = msgspec.structs.replace(phase.gate, duplicate=Duplicate(similarity=SIMILARITY))
    return Curriculum({"1": msgspec.structs.replace(phase, gate=gate)})


def _passed(phase: Phase, policy: str, number: int) -> Passed:
    """In any order of score and id."""
    name = digest(number)[:32]
    score = float(int(name[:2], 16))
    return Passed(name, "bench", name, phase.name, policy, phase.gate.scorer, score)


def _timed(texts: int) -> dict[str, float]:
    """The rate of deciding alone; the texts are written beforehand, a part at a time."""
    deciding_s, rejected = 0.0, 0

    def told() -> Iterator[str]:
        nonlocal deciding_s
        source = written(texts)
        while part := list(islice(source, _TOGETHER)):
            began = time.process_time()
            yield from part
            deciding_s += time.process_time() - began

    rejected = decide(told())
    return {"per_s": texts / deciding_s, "cpu_s": deciding_s, "rejected": rejected}


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--texts", type=int, default=TEXTS, help="of the run whose memory is told")
    asked.add_argument("--decide", type=int)
    options = asked.parse_args()
    if options.decide:
        print(json.dumps(_timed(options.decide)))
    else:
        print(json.dumps({**ratio(), "large": large(options.texts)}, indent=2))
