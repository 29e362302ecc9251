"""Counts what a definition names in many texts at once, with the regex engine of Rust.

It takes time in proportion to the text, whatever the pattern, and runs on all cores. That it
counts as Python's `re` does is held up by `tests/unit/agents/test_engine.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.scorers import measures
from agents.scorers.alphabet import Alphabet, Written, sees_more
from agents.scorers.base import Score, Text
from agents.scorers.definition import NO_ANSWER, Definition, Rule, Signal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Counts = npt.NDArray[np.float64]

_CHARACTERS = 1_000_000  # written at once; some twenty bytes of memory for each
_MEASURES: dict[str, Callable[..., list[float]]] = {
    "distinct_words": measures.distinct_words,
    "short": measures.short,
    "repeats": measures.repeats,
}


class _Count(NamedTuple):
    """A pattern, and the writing of the texts in which it is counted."""

    pattern: str
    folded: bool
    inner: bool
    """Whether the texts are to be without their first characters."""

    second: bool
    """Whether texts with foreign letters or digits are to be counted in their second writing."""

    @property
    def column(self) -> str:
        return f"{'folded' if self.folded else 'kept'}{' inner' * self.inner}"


class Engine:
    """Scores by one definition."""

    def __init__(self, definition: Definition) -> None:
        """Spell the definition's patterns in an alphabet of its own."""
        self.definition = definition
        rules = [rule for signal in definition.signals.values() for rule in signal.count]
        patterns = [text for rule in rules for text in (*rule.find, rule.less)]
        self.alphabet = Alphabet(c for text in patterns for c in text if not c.isascii())
        self._counts: dict[_Count, int] = {}
        self._plan = {
            name: [self._rule(rule) for rule in signal.count]
            for name, signal in definition.signals.items()
        }

    def scores(self, texts: Sequence[Text]) -> list[Score]:
        """A score for each text."""
        return [
            score
            for part in parts([text.response for text in texts])
            for score in self._scores(part)
        ]

    def _rule(self, rule: Rule) -> tuple[Rule, int, int | None]:
        less = self._count(rule, rule.less) if rule.less else None
        return rule, self._count(rule, rule.pattern), less

    def _count(self, rule: Rule, pattern: str) -> int:
        spelt = self.alphabet.spelt(pattern, folded=rule.fold)
        wanted = _Count(spelt, rule.fold, rule.but_first, sees_more(pattern))
        return self._counts.setdefault(wanted, len(self._counts))

    def _scores(self, texts: list[str]) -> Iterator[Score]:
        import numpy as np

        written = self.alphabet.write(texts)
        counted = self._counted(written)
        signals = {
            name: _signal(signal, self._plan[name], texts, written, counted)
            for name, signal in self.definition.signals.items()
        }
        scores = total(self.definition, signals)
        if self.definition.failed is not None:
            failed = np.array([bool(NO_ANSWER.match(text)) for text in texts])
            scores = np.where(failed, self.definition.failed, scores).tolist()
            signals["failed"] = failed.astype(float)
        rows = zip(*(each.tolist() for each in signals.values()), strict=True)
        for score, row in zip(scores, rows, strict=True):
            yield Score(score=score, signals=dict(zip(signals, row, strict=True)))

    def _counted(self, written: Written) -> "list[Counts]":
        import polars as pl

        columns = {count.column: count for count in self._counts}
        frame = pl.DataFrame({name: _column(one, written) for name, one in columns.items()})
        asked = [
            pl.col(c.column).str.count_matches(c.pattern).alias(f"{n}")
            for c, n in self._counts.items()
        ]
        found = [each.to_numpy().astype(float) for each in frame.select(asked).get_columns()]
        if written.foreign:
            self._count_again(written, found)
        return found

    def _count_again(self, written: Written, found: "list[Counts]") -> None:
        """Put right the counts of what sees more, in the texts with more to see."""
        import polars as pl

        for count, number in self._counts.items():
            if count.second:
                whole = pl.Series(written.again(folded=count.folded))
                texts = whole.str.slice(1) if count.inner else whole
                found[number][written.foreign] = texts.str.count_matches(count.pattern).to_numpy()


def total(definition: Definition, counted: "Mapping[str, Counts]") -> list[float]:
    """The scores that these signals add up to, in the definition's order, to two decimals."""
    found: Any = 0.0
    for name, signal in definition.signals.items():
        worth = counted[name] * signal.weight
        found = found + (worth if signal.cap is None else worth.clip(max=signal.cap))
    return [round(score, 2) for score in found.tolist()]


def _column(count: _Count, written: Written) -> list[str]:
    texts = written.folded if count.folded else written.kept
    return [text[1:] for text in texts] if count.inner else texts


def _signal(
    signal: Signal,
    plan: list[tuple[Rule, int, int | None]],
    texts: list[str],
    written: Written,
    counted: "list[Counts]",
) -> "Counts":
    """The signal of every text."""
    import numpy as np

    total = np.full(len(texts), float(signal.base))
    for rule, number, less in plan:
        hits = counted[number] if less is None else counted[number] - counted[less]
        total += hits >= rule.at_least if rule.at_least else hits
    if signal.measure:
        total += _MEASURES[signal.measure](texts, written, signal.limits)
    return total if signal.most is None else total.clip(max=signal.most)


def parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts, in lists that are not too large to write at once."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _CHARACTERS:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
