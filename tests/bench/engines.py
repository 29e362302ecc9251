"""One pattern set over one set of texts, by every engine that is installed, each on one core.

The patterns are those of `lek@2`, the texts sentences of real answers. What is counted is the
matches of each pattern in each text; an engine that can only tell whether there is one decides for
which patterns `re` counts.

Run: python -m tests.bench.engines
"""

import os
import random
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import chain
from operator import truediv

from agents.scorers.definition import load
from streams.cli.shown import Row, show
from tests.bench.rivals import ENGINES, Asked, Counts
from tests.bench.texts import recombined, sentences
from tests.unit.agents.tables import TABLES

_TEXTS, _CHARACTERS, _ROUNDS = 500, 2000, 5
_ODD = (
    "I İMAGİNE na\u00efve_me \u017fure \u212aIND, 10\u00b2 or \u0663\u0664",
    "However\x1cwe feel\u00a0it\u2028I cannot\x85Paradox.\u0301 Beauty\u200dfelt \u00dcber Alles",
    "",
    "\n\n\nI\n# Love\n> hope | fear ...... \u2014\u2014",
)
"""What engines differ in: letters, digits, blanks and capitals beyond ASCII."""


def measured() -> list[Row]:
    """Texts in a second of a core, in turns; and how many counts are not those of `re`."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # polars is not loaded yet
    chance, parts, patterns = random.Random(3), sentences(), _asked()
    texts = [recombined(chance, parts, _CHARACTERS) for _ in range(_TEXTS)]
    there = {name: made for name, (module, _, made) in ENGINES.items() if find_spec(module)}
    count = {name: made(patterns) for name, made in there.items()}
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(_ROUNDS):
        for name, one in count.items():
            began = time.process_time()
            one(texts)
            rates[name].append(len(texts) / (time.process_time() - began))
    first, *_ = count
    wanted, odd = count[first](texts), count[first](_ODD)
    return [
        {
            "engine": name,
            "texts/s": statistics.median(rates[name]),
            "ratio": statistics.median(map(truediv, rates[name], rates[first])),
            "other counts": _others(one(texts), wanted),
            "in odd texts": _others(one(_ODD), odd),
        }
        for name, one in count.items()
    ]


def _asked() -> list[Asked]:
    """All that `lek@2` counts."""
    definition = load(TABLES / "lek@2.yaml")
    rules = [rule for signal in definition.signals.values() for rule in signal.count]
    found = [Asked(r.pattern, r.fold, r.but_first, _literals(r.find)) for r in rules]
    return found + [Asked(rule.less, rule.fold, rule.but_first, ()) for rule in rules if rule.less]


def _others(found: Counts, wanted: Counts) -> int:
    pairs = zip(chain(*found), chain(*wanted), strict=True)
    return sum(one != other for one, other in pairs)


def _literals(find: Iterable[str]) -> tuple[str, ...]:
    words = tuple(word.lower() for word in find)
    return words if all(re.fullmatch(r"[\w' —-]+", word) for word in words) else ()


if __name__ == "__main__":
    show(measured(), as_json="--json" in sys.argv)
    lacking = {package for module, package, _ in ENGINES.values() if not find_spec(module)}
    for package in sorted(lacking):
        print(f"{package} is not installed: pip install {package}", file=sys.stderr)
