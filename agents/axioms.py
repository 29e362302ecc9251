"""Axioms cited by name or number: where a response is to live them, it may not name them.

The names are those of `kernel/axioms.json`, which are part of the policy then, and those that the
kernel of the run has.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import kernel

_NUMBERED = re.compile(
    r"\b(?i:axiom\w{0,2})\W{0,4}(?:(?i:no|nr|number)\b\W{0,3})?"
    # "An axiom I hold" and "an axiom one may doubt" are no numbers.
    r"(?:[1-9]\b|(?:II|III|IV|V|One)\b|(?i:two|three|four|five)\b)"
    r"|\b(?i:first|second|third|fourth|fifth) (?i:axiom)\b"
    r"|公理\s*[1-9一二三四五]"
)

# In JSON, `"name": "…"` and `[1, "…", `; in prose, what a paragraph begins with.
_IN_JSON = re.compile(r'(?:"name"\s*:|\[\s*\d+\s*,)\s*"([^"]+)"')
_IN_PROSE = re.compile(r"^(?:The )?((?:[A-Z][a-z]+[- ]){1,2}[A-Z][a-z]+)\. ", re.MULTILINE)


def named(text: str, kernels: Iterable[str]) -> str | None:
    """The first citation of an axiom in a text; none where it cites none.

    A name of two words is ordinary English, unless it has capitals or stands beside the word
    axiom or principle.
    """
    found = _pattern(tuple(sorted({*kernels}))).search(text) or _NUMBERED.search(text)
    return found[0] if found else None


@lru_cache(maxsize=64)
def names(text: str) -> tuple[str, ...]:
    """What a kernel calls its axioms."""
    found = _IN_JSON.findall(text) + _IN_PROSE.findall(text)
    return tuple(dict.fromkeys(name for name in found if len(_words(name)) > 1))


@lru_cache(maxsize=64)
def _pattern(kernels: tuple[str, ...]) -> re.Pattern[str]:
    known = [*kernel.axiom_names(), *(name for text in kernels for name in names(text))]
    return re.compile("|".join(_cited(_words(name)) for name in dict.fromkeys(known)))


def _cited(words: list[str]) -> str:
    low = r"[\W_]+".join(map(re.escape, words))
    if len(words) > 2:
        return rf"\b(?i:{low})\b"
    high = r"[\W_]+".join(f"(?:{re.escape(w.capitalize())}|{re.escape(w.upper())})" for w in words)
    beside = rf"(?i:(?:axiom|principle)s? (?:of )?{low}|{low} (?:axiom|principle))"
    return rf"\b(?:{high}|{beside})\b"


def _words(name: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"[^\W_]+", name)]
