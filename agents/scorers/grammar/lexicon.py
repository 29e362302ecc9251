"""What each listed form stands for, by mode."""

from functools import cache

import msgspec

from agents.scorers.grammar import inflection
from agents.scorers.grammar.tables import TABLES, Mode, Noun, Verb


class Lexicon(msgspec.Struct, frozen=True):
    """The words that one mode knows without a rule."""

    verbs: dict[str, Verb]
    """By every form."""

    nouns: dict[str, Noun]
    """By singular and plural."""

    words: dict[str, str]
    """The names of special words, by either way to write them."""

    duals: frozenset[str]
    """Forms that are verb and noun alike."""


@cache
def lexicon(mode: Mode) -> Lexicon:
    """The words of this mode."""
    is_full = mode == "initialised"
    return Lexicon(
        verbs=_verbs(TABLES.verbs.initialised if is_full else ()),
        nouns=_nouns(TABLES.nouns.initialised if is_full else ()),
        words=_words() if is_full else {},
        duals=TABLES.duals if is_full else frozenset(),
    )


def _verbs(further: tuple[str, ...]) -> dict[str, Verb]:
    listed = TABLES.verbs
    bases = (*listed.past, *listed.doubled, *listed.regular, *further)
    # A base comes last, since it wins: `read` and `put` are never taken for a past.
    return (
        {inflection.gerund(base): Verb(base, "gerund") for base in bases}
        | {inflection.past(base): Verb(base, "past") for base in bases}
        | {base: Verb(base, "base") for base in bases}
    )


def _nouns(further: tuple[str, ...]) -> dict[str, Noun]:
    bases = (*TABLES.nouns.plural, *further)
    plurals = {inflection.plural(base): Noun(base, is_plural=True) for base in bases}
    return plurals | {base: Noun(base, is_plural=False) for base in bases}


def _words() -> dict[str, str]:
    shown = {written: name for name, written in TABLES.words.items()}
    return shown | {name: name for name in TABLES.words}
