"""Where the rules of a definition fire, and which of them do: every pattern of a rule by itself.

Found by the same engine, in the same writing, as what is counted; so the hits of a rule are as
many as its count, but for `at_least`, which makes one of many.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from agents.scorers.alphabet import Written, sees_more
from agents.scorers.base import Fired, Hit, Sought
from agents.scorers.definition import Rule
from agents.scorers.engine import Engine, parts

if TYPE_CHECKING:
    import polars as pl

# The engine tells of no places, but it replaces: with these, which no text in the alphabet has,
# around each match, and what each group of it matched behind.
_OPEN, _NEXT, _CLOSE = "\ue000\ue001\ue002"


class _Place(NamedTuple):
    start: int
    end: int
    find: int
    """Which of the rule's patterns it is."""


class Places:
    """Finds what an engine counts."""

    def __init__(self, engine: Engine) -> None:
        """Share the engine's alphabet."""
        self._alphabet = engine.alphabet
        signals = engine.definition.signals.items()
        self._rules = [(name, rule) for name, signal in signals for rule in signal.count]
        self.rules = tuple(
            dict.fromkeys(Sought(name, find) for name, rule in self._rules for find in rule.find)
        )

    def hits(self, response: str) -> list[Hit]:
        """Where in a response the rules fire, from left to right."""
        written = self._alphabet.write([response])
        found = [
            Hit(name, rule.find[place.find], place.start, place.end)
            for name, rule in self._rules
            for place in self._places(rule, written)
        ]
        return sorted(found, key=lambda hit: (hit.start, hit.end))

    def fired(self, responses: Sequence[str], sought: Collection[Sought]) -> Fired:
        """Which of these rules win a match in some response.

        One that matches where another of its list matches as well, or has matched before, is met
        and has not fired. What `less` takes off has fired; where `at_least` is not reached,
        nothing has.
        """
        total = Fired(set(), set())
        for texts in parts(responses):
            written = self._alphabet.write(texts)
            for name, rule in self._rules:
                asked = [n for n, find in enumerate(rule.find) if Sought(name, find) in sought]
                for own, found in zip(total, self._fired(rule, asked, written), strict=True):
                    own.update(Sought(name, rule.find[n]) for n in found)
        return total

    def _fired(self, rule: Rule, asked: list[int], written: Written) -> tuple[set[int], set[int]]:
        if not asked:
            return set(), set()
        texts = self._counting(rule, written)
        alone = {n: self._spelt(rule, rule.around(rule.find[n])) for n in asked}
        holding = {n: texts.str.contains(pattern) for n, pattern in alone.items()}
        met = {n for n, where in holding.items() if where.any()}
        won = {n for n in met if self._has_won(rule, n, texts.filter(holding[n]))}
        return won, met

    def _has_won(self, rule: Rule, number: int, texts: "pl.Series") -> bool:
        template = f"{_OPEN}${{r{number}}}{_CLOSE}"
        marked = texts.str.replace_all(self._named(rule, [number]), template)
        return bool(marked.str.contains(f"{_OPEN}[^{_CLOSE}]").any())

    def _counting(self, rule: Rule, written: Written) -> "pl.Series":
        """The texts as the rule sees them, without those in which it counts for nothing."""
        import polars as pl

        texts = self._seen(rule, rule.pattern, written)
        if not rule.at_least:
            return texts
        counted = texts.str.count_matches(self._spelt(rule, rule.pattern)).cast(pl.Int64)
        if rule.less:
            seen = self._seen(rule, rule.less, written)
            counted -= seen.str.count_matches(self._spelt(rule, rule.less)).cast(pl.Int64)
        return texts.filter(counted >= rule.at_least)

    def _places(self, rule: Rule, written: Written) -> list[_Place]:
        """Where the rule fires in the one text that is written."""
        numbers = range(len(rule.find))
        groups = "".join(f"{_NEXT}${{r{number}}}" for number in numbers)
        found = self._marked(rule, rule.pattern, self._named(rule, numbers), groups, written)
        if rule.less:
            less = self._marked(rule, rule.less, self._spelt(rule, rule.less), "", written)
            found = _without(found, less)
        return found if len(found) >= rule.at_least else []

    def _marked(
        self, rule: Rule, pattern: str, spelt: str, groups: str, written: Written
    ) -> list[_Place]:
        texts = self._seen(rule, pattern, written)
        (text,) = texts.str.replace_all(spelt, f"{_OPEN}${{0}}{groups}{_CLOSE}")
        return list(_read(text, int(rule.but_first)))

    def _seen(self, rule: Rule, pattern: str, written: Written) -> "pl.Series":
        import polars as pl

        texts = written.seen(folded=rule.fold, sees_more=sees_more(pattern))
        return pl.Series([text[1:] for text in texts] if rule.but_first else texts, dtype=pl.String)

    def _spelt(self, rule: Rule, pattern: str) -> str:
        return self._alphabet.spelt(pattern, folded=rule.fold)

    def _named(self, rule: Rule, numbers: Collection[int]) -> str:
        """The rule's pattern, with a group for each of these of its patterns."""
        finds = (self._spelt(rule, find) for find in rule.find)
        named = (f"(?P<r{n}>{each})" if n in numbers else each for n, each in enumerate(finds))
        return rule.around("|".join(named))


def _read(marked: str, at: int) -> Iterator[_Place]:
    """The places of the matches in a text that begins at this place of the response."""
    before, *matches = marked.split(_OPEN)
    at += len(before)
    for each in matches:
        told, _, behind = each.partition(_CLOSE)
        match, *groups = told.split(_NEXT)
        find = next((number for number, group in enumerate(groups) if group), 0)
        yield _Place(at, at + len(match), find)
        at += len(match) + len(behind)


def _without(found: list[_Place], less: list[_Place]) -> list[_Place]:
    """Take off, for each of the others, the one it overlaps; or one of the last, as counts do."""
    kept, left, surplus = list[_Place](), found[::-1], 0
    for one in less:
        while left and left[-1].end <= one.start:
            kept.append(left.pop())
        if left and left[-1].start < one.end:
            left.pop()
        else:
            surplus += 1
    kept += left[::-1]
    return kept[: max(0, len(kept) - surplus)]
