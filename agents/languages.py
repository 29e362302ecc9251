"""What language a text is written in, as far as its script and its commonest words tell.

Light on purpose: it tells apart the languages that it has words of, and leaves short, mixed and
unknown texts undecided. One script of one language decides by itself.
"""

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from agents.stopwords import COMMON
from agents.words import words

FEWEST_WORDS = 20
"""A text with fewer is undecided where words must decide."""
FEWEST_LETTERS = 12
"""A text with fewer letters is undecided, whatever its script."""
LEAST = 0.06
"""The least share of commonest words: half of what the poorest of these languages has."""
FEWEST_HITS = 4
"""A text with fewer different ones is undecided: a sum that says "per" says it often."""
CLEARLY = 1.5
"""A language that has so many times fewer of them than another is ruled out."""
MOSTLY = 0.6
"""The least share of letters in one script."""

_LETTERS = re.compile(r"[^\W\d_]")


class Script(NamedTuple):
    """Letters, and the languages here that are written with them."""

    letters: str
    """Ranges, as in a regular expression."""
    languages: tuple[str, ...]


_LATIN = "a-zA-Z\u00aa-\u024f\u1e00-\u1eff"

SCRIPTS = tuple(
    Script(letters, tuple(told.split()))
    for told, letters in {
        "en de fr es pt it nl pl sv da no fi cs ro hu tr vi id sw": _LATIN,
        "ru uk bg sr": "\u0400-\u052f",
        "ar fa ur ps": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
        "hi mr ne": "\u0900-\u097f",
        "zh": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
        "ja": "\u3040-\u30ff",
        "ko": "\u1100-\u11ff\uac00-\ud7af",
        "el": "\u0370-\u03ff\u1f00-\u1fff",
        "he": "\u0590-\u05ff",
        "hy": "\u0530-\u058f",
        "ka": "\u10a0-\u10ff",
        "bn": "\u0980-\u09ff",
        "pa": "\u0a00-\u0a7f",
        "gu": "\u0a80-\u0aff",
        "ta": "\u0b80-\u0bff",
        "te": "\u0c00-\u0c7f",
        "kn": "\u0c80-\u0cff",
        "ml": "\u0d00-\u0d7f",
        "si": "\u0d80-\u0dff",
        "th": "\u0e00-\u0e7f",
        "lo": "\u0e80-\u0eff",
        "bo": "\u0f00-\u0fff",
        "my": "\u1000-\u109f",
        "am": "\u1200-\u139f",
        "km": "\u1780-\u17ff",
    }.items()
)


def languages(text: str) -> tuple[str, ...]:
    """The primary tags of what a text may be written in, the likeliest first; none if undecided.

    Close relatives, as Danish and Norwegian, come together.
    """
    letters = len(_LETTERS.findall(text))
    if letters < FEWEST_LETTERS:
        return ()
    counts = _counts(text)
    # Japanese is mostly written in kana and Han characters; kana is in no other language.
    if counts["ja"] > 0.1 * letters and counts["ja"] + counts["zh"] > MOSTLY * letters:
        return ("ja",)
    for script in SCRIPTS:
        if counts[script.languages[0]] > MOSTLY * letters:
            return _spoken(text, script.languages)
    return ()


def _counts(text: str) -> dict[str, int]:
    """How many letters of each script, by the first of its languages."""
    seen = SCRIPTS[:1] if text.isascii() else SCRIPTS
    found = {script.languages[0]: len(_pattern(script.letters).findall(text)) for script in seen}
    return dict.fromkeys((script.languages[0] for script in SCRIPTS), 0) | found


def _spoken(text: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these languages whose commonest words are clearly most of the text's."""
    if len(languages) == 1:
        return languages
    counted = Counter(words(text))
    hits = {each: counted.keys() & COMMON[each] for each in languages}
    totals = {each: sum(counted[word] for word in found) for each, found in hits.items()}
    best = max(languages, key=lambda each: totals[each])
    total = counted.total()
    if total < FEWEST_WORDS or totals[best] < LEAST * total or len(hits[best]) < FEWEST_HITS:
        return ()
    likely = sorted(languages, key=lambda each: -totals[each])
    return tuple(each for each in likely if CLEARLY * totals[each] > totals[best])


@cache
def _pattern(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{letters}]")
