"""Texts of any number and length, always the same: sentences of real answers, recombined."""

import random
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from streams.config import Settings
from streams.seeds import read

_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "lem"


def sentences() -> list[str]:
    """Those of the answers that models gave; where these are not at hand, of our own probes."""
    texts = list(_answers()) or [seed.prompt for seed in read(Path(Settings().seeds))[0]]
    return [part for text in texts for part in re.split(r"(?<=[.?!])\s+", text) if part]


def recombined(chance: random.Random, parts: list[str], characters: int) -> str:
    """A text of that length, and up to a sentence more."""
    text: list[str] = []
    while characters > 0:
        text.append(chance.choice(parts) + chance.choice((" ", " ", " ", "\n\n")))
        characters -= len(text[-1])
    return "".join(text)


def _answers() -> Iterator[str]:
    results = sorted((_DATA / "benchmarks" / "results").glob("*.jsonl"))
    for path in chain(results, (_DATA / "training").glob("valid.jsonl")):
        for line in path.read_bytes().splitlines():
            row = msgspec.json.decode(line)
            yield row["messages"][-1]["content"] if "messages" in row else row["response"]
