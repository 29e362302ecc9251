"""Kernel leaks: what of a kernel stands in a text, as a run of words or as a sentence.

A model that was trained on its kernel's words would recite it. Case, punctuation, line breaks and
quoting don't matter in a run, and in a sentence not even the blanks between the words.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from agents.stopwords import ENGLISH
from agents.words import folded, runs, words

DISTINCT = 5
"""A sentence with so many different content-bearing words is said by nobody by chance."""
LONG, BEARING = 8, 3
"""Nor is one of so many words, of which so many bear content."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002]+[\"'\u201d\u2019)\]]*(?=\s|$)|\n+")
_CLAUSE_END = re.compile(r"[;:]+(?=\s|$)")
_NO_LETTER = re.compile(r"[\W_]+")


class Sentence(NamedTuple):
    """A sentence of a kernel that would be known again anywhere."""

    letters: str
    """Its letters and digits, folded, without anything between them."""
    text: str
    """Its words."""


def leak(text: str, kernel: str, words: int) -> str | None:
    """What a text repeats of a kernel: so many words in a row, or a whole sentence; or none.

    Of a kernel that is shorter than `words` all its words make a leak. A sentence is one that
    `sentences` knows, however short.
    """
    return shared_run(text, kernel, words) or quoted(text, kernel)


def shared_run(text: str, kernel: str, words: int) -> str | None:
    """The first run of so many words that a text shares with a kernel."""
    known, vocabulary = shingles(kernel, words), _vocabulary(kernel)
    size = len(next(iter(known), ()))
    familiar = _familiar(words_of(text), vocabulary, size)
    return next((" ".join(run) for run in familiar if run in known), None)


def quoted(text: str, kernel: str) -> str | None:
    """The first of a kernel's sentences that stands in a text, whatever is between its letters."""
    letters = _letters(text)
    return next((each.text for each in sentences(kernel) if each.letters in letters), None)


@lru_cache(maxsize=64)
def sentences(kernel: str) -> tuple[Sentence, ...]:
    """A kernel's distinctive sentences, and their clauses where they are so too."""
    found: dict[str, Sentence] = {}
    for part in _parts(kernel):
        told = words_of(part)
        bearing = sum(len(word) > 1 for word in {*told} - ENGLISH)
        if bearing >= DISTINCT or (len(told) >= LONG and bearing >= BEARING):
            found.setdefault(_letters(part), Sentence(_letters(part), " ".join(told)))
    return tuple(found.values())


@lru_cache(maxsize=64)
def shingles(text: str, words: int) -> frozenset[tuple[str, ...]]:
    """Every run of so many words in a text, or the whole text where it has fewer.

    Remembered, since one kernel is compared with all generations of a run.
    """
    found = words_of(text)
    return frozenset(runs(found, min(words, len(found))))


def strings(kernel: str) -> Iterator[str]:
    """What a kernel says: itself, or where JSON stands in it, the strings there and what is round.

    What a sandwich says before a kernel stands before the JSON.
    """
    start = kernel.find("{")
    try:
        found, end = json.JSONDecoder().raw_decode(kernel, max(start, 0))
    except ValueError:
        yield kernel
    else:
        yield kernel[:start]
        yield from _said(found)
        yield kernel[end:]


def _parts(kernel: str) -> Iterator[str]:
    """Sentences, each before its clauses."""
    for said in strings(kernel):
        for sentence in _SENTENCE_END.split(said):
            yield sentence
            yield from _CLAUSE_END.split(sentence)


def _said(found: Any) -> Iterator[str]:
    """The strings of a JSON value, keys too, in their order."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield key
            yield from _said(value)
    elif isinstance(found, list):
        for value in found:
            yield from _said(value)


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", folded(unescaped(text)))


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, JSON's escapes undone, since a kernel may be JSON."""
    return words(unescaped(text))


def unescaped(text: str) -> str:
    """A text with JSON's escapes undone."""
    return _ESCAPE.sub(lambda it: chr(int(it[1], 16)) if it[1] else " ", text)


def _familiar(found: list[str], vocabulary: frozenset[str], size: int) -> Iterator[tuple[str, ...]]:
    """The runs of which the vocabulary holds every word.

    Each is looked at from its end: a strange word there spares all that begin before it.
    """
    start = seen = 0  # what lies between them is in the vocabulary
    while (end := start + size) <= len(found):
        at = end - 1
        while at >= seen and found[at] in vocabulary:
            at -= 1
        if at < seen:
            yield tuple(found[start:end])
            at = start
        start, seen = at + 1, end


@lru_cache(maxsize=64)
def _vocabulary(kernel: str) -> frozenset[str]:
    return frozenset(words_of(kernel))
