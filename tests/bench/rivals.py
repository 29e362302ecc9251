"""What counts patterns in texts: `re`, what scorers do, and what else there is."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from agents.scorers.alphabet import Alphabet, sees_more

Counts = list[list[int]]
Count = Callable[[Sequence[str]], Counts]


class Asked(NamedTuple):
    """A pattern, and how a rule wants it counted."""

    pattern: str
    fold: bool
    inner: bool
    """Whether a text's first character is left out."""

    literals: tuple[str, ...]
    """One of these is in every match, in lower case; none where that can't be said."""

    def of(self, text: str) -> int:
        """How often it is in a text, plainly."""
        return len(re.findall(self.pattern, text[self.inner :], re.IGNORECASE * self.fold))

    @property
    def flagged(self) -> str:
        """The pattern for an engine that takes flags in it alone."""
        return f"(?i){self.pattern}" if self.fold else self.pattern


def plain(patterns: list[Asked]) -> Count:
    """Python's `re`, a pattern after the other."""
    return lambda texts: [[each.of(text) for each in patterns] for text in texts]


def polars_unicode(patterns: list[Asked]) -> Count:
    """Rust's `regex` over the texts as they are."""
    import polars as pl

    def count(texts: Sequence[str]) -> Counts:
        frame = pl.DataFrame({"whole": texts, "inner": [text[1:] for text in texts]})
        wanted = [
            pl.col("inner" if each.inner else "whole").str.count_matches(each.flagged).alias(f"{n}")
            for n, each in enumerate(patterns)
        ]
        return [list(row) for row in frame.select(wanted).rows()]

    return count


def polars_alphabet(patterns: list[Asked]) -> Count:
    """Rust's `regex` over the texts in our alphabet, as a scorer counts."""
    import polars as pl

    alphabet = Alphabet(c for each in patterns for c in each.pattern if not c.isascii())
    spelt = [alphabet.spelt(each.pattern, folded=each.fold) for each in patterns]
    ways = [(each.fold, sees_more(each.pattern), each.inner) for each in patterns]

    def count(texts: Sequence[str]) -> Counts:
        written = alphabet.write(texts)
        seen = {way: written.seen(folded=way[0], sees_more=way[1]) for way in set(ways)}
        columns = {str(way): [text[way[2] :] for text in seen[way]] for way in seen}
        wanted = [
            pl.col(str(way)).str.count_matches(pattern).alias(f"{n}")
            for n, (way, pattern) in enumerate(zip(ways, spelt, strict=True))
        ]
        return [list(row) for row in pl.DataFrame(columns).select(wanted).rows()]

    return count


def pyarrow(patterns: list[Asked]) -> Count:
    """RE2, as Arrow has it."""
    import pyarrow as pa

    compute: Any = import_module("pyarrow.compute")

    def count(texts: Sequence[str]) -> Counts:
        whole, inner = pa.array(texts), pa.array([text[1:] for text in texts])
        found = [
            compute.count_substring_regex(
                inner if each.inner else whole, each.pattern, ignore_case=each.fold
            ).to_pylist()
            for each in patterns
        ]
        return [list(row) for row in zip(*found, strict=True)]

    return count


def re2(patterns: list[Asked]) -> Count:
    """RE2 by its own binding, a pattern after the other."""
    module = import_module("re2")
    compiled = [(module.compile(each.flagged), each.inner) for each in patterns]
    return lambda texts: [
        [sum(1 for _ in found.finditer(text[inner:])) for found, inner in compiled]
        for text in texts
    ]


def re2_set(patterns: list[Asked]) -> Count:
    """RE2 says in one pass which patterns are in a text; `re` counts those."""
    module = import_module("re2")
    union = module.Set.SearchSet()
    for each in patterns:
        union.Add(each.flagged)
    union.Compile()
    return _counting(patterns, lambda text: union.Match(text) or ())


def hyperscan_set(patterns: list[Asked]) -> Count:
    """Hyperscan (Vectorscan on ARM) says in one pass which are in a text; `re` counts those."""
    module = import_module("hyperscan")
    found = _hyperscan(patterns, module.HS_FLAG_SINGLEMATCH | module.HS_FLAG_PREFILTER)

    def seen(text: str) -> list[int]:
        numbers: list[int] = []
        found.scan(text.encode(), match_event_handler=lambda n, *_: numbers.append(n))
        return numbers

    return _counting(patterns, seen)


def hyperscan(patterns: list[Asked]) -> Count:
    """Hyperscan counts where a match ends: it knows no first one among those that overlap."""
    found = _hyperscan(patterns, 0)

    def count(text: str) -> list[int]:
        numbers = [0] * len(patterns)

        def add(number: int, *_: object) -> None:
            numbers[number] += 1

        found.scan(text.encode(), match_event_handler=add)
        return numbers

    return lambda texts: [count(text) for text in texts]


def _hyperscan(patterns: list[Asked], flags: int) -> Any:
    module = import_module("hyperscan")
    found = module.Database()
    found.compile(
        expressions=[each.pattern.encode() for each in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[
            flags | module.HS_FLAG_UTF8 | module.HS_FLAG_CASELESS * each.fold for each in patterns
        ],
    )
    return found


def ahocorasick_rs(patterns: list[Asked]) -> Count:
    """Aho and Corasick's automaton finds literals in one pass; `re` counts what may be there."""
    module = import_module("ahocorasick_rs")
    words, owners = _words(patterns)
    automaton = module.AhoCorasick(list(words))
    always = [n for n, each in enumerate(patterns) if not each.literals]

    def seen(text: str) -> set[int]:
        found = automaton.find_matches_as_indexes(text.lower(), overlapping=True)
        return {owner for number, *_ in found for owner in owners[number]}.union(always)

    return _counting(patterns, seen)


def pyahocorasick(patterns: list[Asked]) -> Count:
    """The same by an older library in C."""
    automaton = import_module("ahocorasick").Automaton()
    words, owners = _words(patterns)
    for number, word in enumerate(words):
        automaton.add_word(word, owners[number])
    automaton.make_automaton()
    always = [n for n, each in enumerate(patterns) if not each.literals]

    def seen(text: str) -> set[int]:
        return {owner for _, found in automaton.iter(text.lower()) for owner in found}.union(always)

    return _counting(patterns, seen)


ENGINES: dict[str, tuple[str, str, Callable[[list[Asked]], Count]]] = {
    "re, a pattern at a time": ("re", "", plain),
    "polars, our alphabet": ("polars", "polars", polars_alphabet),
    "polars, Unicode": ("polars", "polars", polars_unicode),
    "pyarrow (RE2)": ("pyarrow", "pyarrow", pyarrow),
    "google-re2": ("re2", "google-re2", re2),
    "google-re2 Set, then re": ("re2", "google-re2", re2_set),
    "hyperscan": ("hyperscan", "hyperscan", hyperscan),
    "hyperscan, then re": ("hyperscan", "hyperscan", hyperscan_set),
    "ahocorasick_rs, then re": ("ahocorasick_rs", "ahocorasick_rs", ahocorasick_rs),
    "pyahocorasick, then re": ("ahocorasick", "pyahocorasick", pyahocorasick),
}
"""What each is called, its module, the package that has it, and how it counts."""


def _counting(patterns: list[Asked], seen: Callable[[str], Iterable[int]]) -> Count:
    def count(text: str) -> list[int]:
        found = [0] * len(patterns)
        for number in seen(text):
            found[number] = patterns[number].of(text)
        return found

    return lambda texts: [count(text) for text in texts]


def _words(patterns: list[Asked]) -> tuple[list[str], list[list[int]]]:
    """Every literal once, and which patterns it belongs to."""
    owners: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(patterns):
        for word in each.literals:
            owners[word].append(number)
    return list(owners), list(owners.values())
