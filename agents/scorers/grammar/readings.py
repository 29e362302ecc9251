"""What each piece of a text holds, whatever stands beside it.

A piece is what stands between two blanks. At most one mark is taken off its end. A full stop
belongs to its word, and so do brackets and quotes: `walked.` is an unknown word.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from agents.scorers.grammar import inflection
from agents.scorers.grammar.lexicon import Lexicon, lexicon
from agents.scorers.grammar.tables import TABLES, Count, Mode

Kind = Literal["article", "verb", "noun", "dual", "word", "mark", "unknown"]

KEPT = 1 << 15
"""How many pieces a mode remembers."""

LONGEST_KEPT = 64
"""In characters; what is longer hardly comes again, and a megabyte without a blank may."""

# `str.split` takes these for blanks; the reference doesn't.
_NO_BLANKS = "\x1c\x1d\x1e\x1f"
_PIECE = re.compile("[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


class Token(NamedTuple):
    """A word or a mark, and what it is taken for."""

    text: str
    """In lower case."""

    kind: Kind
    """`dual` only until its neighbours are known."""

    key: str = ""
    """The base of a verb or noun; the name of an article, word or mark."""

    form: str = ""
    """A verb's tense; `plural` or `singular` for a noun."""

    confidence: float = 1.0
    """0 where the word is unknown."""

    other: float | None = None
    """Confidence in the class that lost, of a word that could be verb or noun."""


class Reading(msgspec.Struct, eq=False):
    """What one piece of a text holds: a word, a mark, or both. Equal only to itself."""

    tokens: tuple[Token, ...]
    """One or two."""

    counts: tuple[tuple[Count, str], ...]
    """Where each of them is counted, and under which name."""

    size: int
    """How many tokens."""


class Readings(dict[str, Reading]):
    """A reading for every piece that is asked for; the common ones are remembered."""

    def __init__(self, known: Lexicon) -> None:
        super().__init__()
        self._known = known

    def __missing__(self, piece: str) -> Reading:
        """Read a piece for the first time."""
        reading = _read(piece, self._known)
        if len(piece) <= LONGEST_KEPT:
            if len(self) >= KEPT:
                self.clear()
            self[piece] = reading
        return reading


def pieces(text: str) -> list[str]:
    """The text between its blanks."""
    if any(mark in text for mark in _NO_BLANKS):
        return _PIECE.findall(text)
    return text.split()


def readings(mode: Mode) -> Callable[[str], Reading]:
    """What gives a piece its reading in this mode."""
    return _READINGS[mode].__getitem__


def _read(piece: str, known: Lexicon) -> Reading:
    word, mark = _parted(piece)
    found = []
    if word:
        found.append(_classed(_lower(word), known))
    if mark:
        found.append(Token(mark, "mark", TABLES.marks[mark]))
    counts = tuple(count for token in found for count in _counts(token))
    return Reading(tuple(found), counts, len(found))


def _parted(piece: str) -> tuple[str, str]:
    """A word and the one mark that is taken off its end."""
    if piece.endswith("..."):
        return piece[:-3], "..."
    if len(piece) > 1 and piece[-1] in TABLES.marks:
        return piece[:-1], piece[-1]
    return piece, ""


def _lower(word: str) -> str:
    """Lower case, character by character: these two are all that `str.lower` does otherwise."""
    return word.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def _classed(word: str, known: Lexicon) -> Token:
    if name := TABLES.articles.get(word):
        return Token(word, "article", name)
    if word in known.duals:
        return Token(word, "dual", word)
    if verb := inflection.verb(word, known.verbs):
        return Token(word, "verb", verb.base, verb.tense)
    if noun := inflection.noun(word, known.nouns):
        return Token(word, "noun", noun.base, "plural" if noun.is_plural else "singular")
    if name := known.words.get(word):
        return Token(word, "word", name)
    return Token(word, "unknown", confidence=0.0)


def _counts(token: Token) -> tuple[tuple[Count, str], ...]:
    match token.kind:
        case "verb":
            return ("verbs", token.key), ("tenses", token.form)
        case "noun":
            return ("nouns", token.key), ("numbers", token.form)
        case "article":
            return (("articles", token.key),)
        case "word":
            return (("words", token.key),)
        case "mark":
            return (("marks", token.key),)
        case "dual":
            return (("duals", token.key),)
        case "unknown":
            return ()


_READINGS: dict[Mode, Readings] = {
    mode: Readings(lexicon(mode)) for mode in ("as_run", "initialised")
}
