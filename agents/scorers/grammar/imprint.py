"""The imprint of a text: how often it uses what; and how like two imprints are."""

from collections import Counter, defaultdict
from math import log2, sqrt
from typing import get_args

import msgspec

from agents.scorers.grammar.readings import pieces, readings
from agents.scorers.grammar.tables import TABLES, Count, Mode
from agents.scorers.grammar.tokens import tokens

Counts = defaultdict[str, float]
"""How often each name was met."""

_NAMES: tuple[Count, ...] = get_args(Count)


class Imprint(msgspec.Struct, frozen=True):
    """What was counted in one text. A word in doubt counts for both classes, in part."""

    token_count: int
    """Words and marks."""

    counts: dict[Count, Counts]
    """Each class apart, by name."""

    def shares(self, name: Count) -> dict[str, float]:
        """Each count of this class as a share of all; empty where nothing was counted."""
        counts = self.counts[name]
        total = sum(counts.values())
        return {key: count / total for key, count in counts.items()} if total else {}

    @property
    def plural_ratio(self) -> float:
        """The share of plurals among the nouns; 0 without nouns."""
        return self.shares("numbers").get("plural", 0.0)

    @property
    def question_ratio(self) -> float:
        """The share of question marks among the marks; 0 without marks."""
        return self.shares("marks").get("question", 0.0)

    @property
    def vocab_richness(self) -> float:
        """Different verbs and nouns by tokens; 0 without tokens."""
        different = len(self.counts["verbs"]) + len(self.counts["nouns"])
        return different / self.token_count if self.token_count else 0.0

    @property
    def tense_entropy(self) -> float:
        """How evenly the tenses are used, in bits."""
        found = self.shares("tenses").values()
        return sum((-share * log2(share) for share in found if share), start=0.0)


def imprint(text: str, mode: Mode) -> Imprint:
    """What is counted in a text."""
    found = Counter(map(readings(mode), pieces(text)))
    counts: dict[Count, Counts] = {name: defaultdict(float) for name in _NAMES}
    token_count = 0
    for reading, times in found.items():
        token_count += reading.size * times
        for name, key in reading.counts:
            counts[name][key] += times
    if counts["duals"]:
        _add_duals(text, mode, counts)
    return Imprint(token_count, counts)


def likeness(one: Imprint, other: Imprint) -> float:
    """How like two imprints are, from 0 to 1; what both lack is not compared."""
    if not one.token_count and not other.token_count:
        return 1.0
    compared = [
        (weight, _cosine(one.counts[name], other.counts[name]))
        for name, weight in TABLES.likeness.items()
        if one.counts[name] or other.counts[name]
    ]
    total = sum(weight for weight, _ in compared)
    return sum(weight * cosine for weight, cosine in compared) / total if compared else 1.0


def _add_duals(text: str, mode: Mode, counts: dict[Count, Counts]) -> None:
    """Count the words in doubt: each in both classes, as far as it belongs there."""
    for token in tokens(text, mode):
        if token.other is None:
            continue
        verb, noun = token.confidence, token.other
        if token.kind == "noun":
            verb, noun = noun, verb
        counts["verbs"][token.key] += verb
        counts["tenses"]["base"] += verb
        # Even a noun reading without any evidence makes the noun one of the text's.
        counts["nouns"][token.key] += noun
        counts["numbers"]["singular"] += 1


def _cosine(one: Counts, other: Counts) -> float:
    both = sum(count * other[name] for name, count in one.items() if name in other)
    return both / (_length(one) * _length(other)) if both else 0.0


def _length(counts: Counts) -> float:
    return sqrt(sum(count * count for count in counts.values()))
