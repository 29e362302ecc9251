"""A scorer's definition carried out plainly, one `re.findall` a rule: slow, and beyond doubt.

The engine is held against it, and is to be many times as fast.
"""

import re

from agents.scorers.base import Score
from agents.scorers.definition import Definition, Rule, Signal


def score(definition: Definition, text: str) -> Score:
    signals = {name: _signal(signal, text) for name, signal in definition.signals.items()}
    total = 0.0
    for name, signal in definition.signals.items():
        worth = signal.weight * signals[name]
        total += worth if signal.cap is None else min(worth, signal.cap)
    if definition.failed is None:
        return Score(score=round(total, 2), signals=signals)
    words = re.sub(r"<[^<>\s]{1,40}>", "", text).strip()
    failed = not words or text.lstrip().startswith("ERROR:")
    signals["failed"] = float(failed)
    return Score(score=definition.failed if failed else round(total, 2), signals=signals)


def _signal(signal: Signal, text: str) -> float:
    found = signal.base + sum(_count(rule, text) for rule in signal.count)
    if signal.measure == "distinct_words":
        found += _distinct_words(text, **signal.limits)
    if signal.measure == "short":
        found += len(text.strip()) < signal.limits["below"]
    if signal.measure == "repeats":
        length, times = int(signal.limits["length"]), int(signal.limits["times"]) - 1
        found += bool(re.search(rf"(.{{{length},}}?)\1{{{times},}}", text, re.DOTALL))
    return float(found if signal.most is None else min(found, signal.most))


def _count(rule: Rule, text: str) -> int:
    text = text[1:] if rule.but_first else text
    flags = re.IGNORECASE if rule.fold else 0
    found = len(re.findall(rule.pattern, text, flags))
    if rule.less:
        found -= len(re.findall(rule.less, text, flags))
    return found >= rule.at_least if rule.at_least else found


def _distinct_words(text: str, longer_than: float, severe: float, mild: float) -> float:
    words = text.split()
    if len(words) <= longer_than:
        return 0
    share = len(set(words)) / len(words)
    return 1 if share < severe else 0.5 if share < mild else 0
