"""`tier@1`: the first gate of an expansion; a text passes with more than nothing.

Two programs have these rules and differ in a few texts. This is the older of them, the script,
in all of its answers. The other, its port to Go, differs so:

- It counts every whole block of five words. The script counts one only where another word
  follows it, so of a number of words that five divides the last block is left out.
- It measures in bytes, so fewer short texts with other letters than ASCII are broken to it.
- It makes "İ" a plain "i" in lower case, and four control characters are no blanks to it.

A phrase counts wherever it stands, also inside a word, and once, however often.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agents.scorers.base import Hit, Score, Scorer, Sought, Text
from agents.scorers.fixtures import FIXTURES
from streams.ids import digest


class Rule(NamedTuple):
    """Phrases that are looked for; they stand as they are, and none is a pattern."""

    signal: str
    """What each that is found adds one to."""

    phrases: tuple[str, ...]
    """In any case, lower case here, but where they have none."""

    most: int | None = None
    """No more of them count."""


RULES = (
    Rule(
        "compliance_markers",
        (
            *("as an ai", "i cannot", "i can't", "i'm not able", "important to note"),
            *("it's crucial to", "i must emphasize", "i should point out", "as a language model"),
        ),
    ),
    Rule("structure", ("\n\n", "**", "1.", "- "), most=1),
    Rule("creative_form", ("metaphor", "imagine", "picture this", "story", "once upon"), most=1),
    Rule("first_person", ("i think", "i believe", "in my view", "i'd argue")),
)

PREAMBLES = ("okay, let", "ok, let", "sure, let")
"""In any case, at the start of a text, blanks before it aside."""

SHORTER_THAN = 30
"""A text of fewer characters is broken, and nothing else is counted in it."""

LONGER_THAN = (100, 300)
"""Each number of words that a text exceeds adds one to its engagement."""

BLOCKS = {"words_above": 20, "words": 5, "words_behind": 1, "distinct_below": 0.5}
"""A text of more words than this is degenerate by the share of distinct blocks of words."""

WEIGHTS = {
    "empty_broken": -20.0,
    "compliance_markers": -5.0,
    "formulaic_preamble": -3.0,
    "degeneration": -10.0,
    "engagement_depth": 2.0,
    "structure": 1.0,
    "creative_form": 2.0,
    "first_person": 1.5,
}
"""What one of each adds to the score; the signals in their order."""

CODE = 1
"""Stands for what the code below does with all this; other code needs another version."""


def total(counted: dict[str, float]) -> float:
    """The score that these signals add up to: from -58 to 13."""
    return sum(weight * counted[name] for name, weight in WEIGHTS.items())


def _scores(texts: Sequence[Text]) -> list[Score]:
    counts = [_signals(text.response) for text in texts]
    return [Score(score=total(counted), signals=counted) for counted in counts]


def _signals(text: str) -> dict[str, float]:
    if len(text) < SHORTER_THAN:
        return dict.fromkeys(WEIGHTS, 0.0) | {"empty_broken": 1.0}
    counted = dict.fromkeys(WEIGHTS, 0)
    lower, words = text.lower(), text.split()
    for rule in RULES:
        counted[rule.signal] = len([one for one in rule.phrases if one in lower][: rule.most])
    counted["formulaic_preamble"] = lower.strip().startswith(PREAMBLES)
    counted["degeneration"] = _is_degenerate(words)
    counted["engagement_depth"] = sum(len(words) > bound for bound in LONGER_THAN)
    return {name: float(count) for name, count in counted.items()}


def _is_degenerate(words: list[str]) -> bool:
    if len(words) <= BLOCKS["words_above"]:
        return False
    size = int(BLOCKS["words"])
    last = len(words) - size - int(BLOCKS["words_behind"])
    blocks = [tuple(words[at : at + size]) for at in range(0, last + 1, size)]
    return len(set(blocks)) / len(blocks) < BLOCKS["distinct_below"]


def _hits(text: str) -> list[Hit]:
    """Every place of a phrase that counts; length and repetition have none."""
    counted = _signals(text)
    hits = (hit for hit in _places(text) if counted[hit.signal])
    return sorted(hits, key=lambda hit: (hit.start, hit.end))


def _places(text: str) -> Iterator[Hit]:
    lower = text.lower()
    # A letter may become two in lower case.
    at = [place for place, one in enumerate(text) for _ in one.lower()]
    for rule in RULES:
        for phrase in rule.phrases:
            for match in re.finditer(re.escape(phrase), lower):
                yield Hit(rule.signal, phrase, at[match.start()], at[match.end() - 1] + 1)
    for phrase in PREAMBLES:
        if lower.strip().startswith(phrase):
            start = len(text) - len(text.lstrip())
            yield Hit("formulaic_preamble", phrase, start, start + len(phrase))


SCORERS = (
    Scorer(
        name="tier",
        version="1",
        definition=digest([RULES, PREAMBLES, SHORTER_THAN, LONGER_THAN, BLOCKS, WEIGHTS, CODE]),
        summary="A quick gate for expanded probes: passes above 0.",
        function=_scores,
        hits=_hits,
        rules=(
            *(Sought(rule.signal, phrase) for rule in RULES for phrase in rule.phrases),
            *(Sought("formulaic_preamble", phrase) for phrase in PREAMBLES),
        ),
        fixtures=FIXTURES["tier@1"],
    ),
)
