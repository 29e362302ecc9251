"""`lek@2` by the engine against the plain implementation, one `re.findall` a rule, on one core.

Run: python -m tests.bench.score
"""

import os
import random
import re
import time
from pathlib import Path

from agents.scorers import Text, scorer
from agents.scorers.definition import load
from streams.config import Settings
from streams.seeds import read
from tests import oracle
from tests.bench import paired
from tests.unit.agents.tables import TABLES

_TEXTS = 1000
_WORDS = 220
_ROUNDS = 5


def ratio() -> dict[str, float]:
    """Texts per second of both, and ours by theirs; the texts are our own probes, recombined."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # polars is not loaded yet
    texts = _texts()
    ours, definition = scorer("lek@2"), load(TABLES / "lek@2.yaml")
    few = texts[:200]

    def quick() -> float:
        began = time.perf_counter()
        ours.function([Text(text) for text in texts])
        return len(texts) / (time.perf_counter() - began)

    def plain() -> float:
        began = time.perf_counter()
        for text in few:
            oracle.score(definition, text)
        return len(few) / (time.perf_counter() - began)

    return paired(quick, plain, rounds=_ROUNDS)


def _texts() -> list[str]:
    """Some answers' worth of sentences from the probe sets, in any order, always the same."""
    seeds, _ = read(Path(Settings().seeds))
    found = [seed.prompt for seed in seeds]
    sentences = [part for text in found for part in re.split(r"(?<=[.?!]) ", text)]
    chance = random.Random(1)
    return [_text(chance, sentences) for _ in range(_TEXTS)]


def _text(chance: random.Random, sentences: list[str]) -> str:
    text = ""
    while text.count(" ") < _WORDS:
        text += chance.choice(sentences) + chance.choice((" ", " ", "\n\n"))
    return text


if __name__ == "__main__":
    print(ratio())
