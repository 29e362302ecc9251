"""English by rule: the forms of a base, and back from a form to its base.

Words are lower case. Nothing is checked against a dictionary: whatever a rule could have made
is taken as made by it, so `thing` is a gerund and `this` a plural. The reference counts bytes of
UTF-8; where that makes a difference, so does this.
"""

import re
from collections.abc import Callable, Iterator

from agents.scorers.grammar.tables import TABLES, Noun, Verb

_VOWELS = frozenset("aeiou")
_HISSING = ("s", "sh", "ch", "x", "z")
_SILENT_E = re.compile(r"[aeiou](?![aeiou])[\0-\x7f]e")

_LISTED = TABLES.verbs
_PASTS = {base: f"{base}{base[-1]}ed" for base in _LISTED.doubled} | _LISTED.past
_GERUNDS = {
    base: f"{base}{base[-1]}ing" for base in (*_LISTED.doubled, *_LISTED.doubled_in_gerund)
} | _LISTED.gerund


def past(base: str) -> str:
    """The past of a verb; by rule where no table has it."""
    if listed := _PASTS.get(base):
        return listed
    if len(base) > 2 and base.endswith("ed") and base[-3] not in _VOWELS:
        return base
    if base.endswith("e"):
        return f"{base}d"
    if _is_consonant_y(base):
        return f"{base[:-1]}ied"
    return f"{_doubled(base)}ed"


def gerund(base: str) -> str:
    """The form of a verb in -ing; by rule where no table has it."""
    if listed := _GERUNDS.get(base):
        return listed
    if base.endswith("ie"):
        return f"{base[:-2]}ying"
    if len(base) > 1 and base[-1] == "e" and base[-2] not in "eyo":
        return f"{base[:-1]}ing"
    return f"{_doubled(base)}ing"


def plural(base: str) -> str:
    """The plural of a noun; by rule where no table has it."""
    if listed := TABLES.nouns.plural.get(base):
        return listed
    if base.endswith(_HISSING) or base in TABLES.plural_in_es:
        return f"{base}es"
    if _is_consonant_y(base):
        return f"{base[:-1]}ies"
    if base.endswith(("f", "fe")):
        return f"{base.removesuffix('e')[:-1]}ves"
    return f"{base}s"


def verb(word: str, listed: dict[str, Verb]) -> Verb | None:
    """What verb a word is a form of; none where no rule could have made it.

    Args:
        word: In lower case.
        listed: The forms of the known verbs; they come first.
    """
    if found := listed.get(word):
        return found
    if word.endswith("ed") and (base := _made(word, _before_ed, past, listed)):
        return Verb(base, "past")
    if word.endswith("ing") and (base := _made(word, _before_ing, gerund, listed)):
        return Verb(base, "gerund")
    return None


def noun(word: str, listed: dict[str, Noun]) -> Noun | None:
    """What noun a word is a form of: a listed one, or a plural that a rule could have made."""
    if found := listed.get(word):
        return found
    if not word.endswith("s"):
        return None
    bases = (base for base in _before_s(word) if plural(base) == word)
    return next((Noun(base, is_plural=True) for base in bases), None)


def _made(
    word: str,
    candidates: Callable[[str], Iterator[str]],
    forward: Callable[[str], str],
    listed: dict[str, Verb],
) -> str | None:
    """The likeliest of the bases that `forward` turns into the word."""
    bases = [base for base in candidates(word) if forward(base) == word]
    return min(bases, key=lambda base: _unlikeliness(base, listed), default=None)


def _unlikeliness(base: str, listed: dict[str, Verb]) -> int:
    if (known := listed.get(base)) and known.tense == "base":
        return 0
    if _SILENT_E.fullmatch(base[-3:]):
        return 1
    return 3 if base.endswith("e") else 2


def _before_ed(word: str) -> Iterator[str]:
    if len(word) > 3 and word.endswith("ied"):
        yield f"{word[:-3]}y"
    if len(word) > 4 and word[-3] == word[-4]:
        yield word[:-3]
    if len(word) > 2:
        yield word[:-1]
        yield word[:-2]


def _before_ing(word: str) -> Iterator[str]:
    stem = word[:-3]
    if len(stem) > 1 and stem[-1] == "y":
        yield f"{stem[:-1]}ie"
    if len(stem) > 1 and stem[-1] == stem[-2]:
        yield stem[:-1]
    if stem:
        yield stem
        yield f"{stem}e"


def _before_s(word: str) -> Iterator[str]:
    if len(word) > 3 and word.endswith("ies"):
        yield f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("ves"):
        yield f"{word[:-3]}f"
        yield f"{word[:-3]}fe"
    if word.endswith(tuple(f"{end}es" for end in _HISSING)):
        yield word[:-2]
    if len(word) > 1:
        yield word[:-1]


def _is_consonant_y(base: str) -> bool:
    return len(base) > 1 and base[-1] == "y" and base[-2] not in _VOWELS


def _doubled(base: str) -> str:
    """The base as it stands before -ed or -ing: its last letter twice, if the rule has it so."""
    is_due = base not in TABLES.never_doubled and _is_short_and_closed(base)
    return base + base[-1] if is_due else base


def _is_short_and_closed(base: str) -> bool:
    """Whether it has 3 or 4 bytes, at the end a consonant, a vowel and a consonant."""
    raw = base.encode("utf-8", "surrogatepass")
    return (
        len(raw) in (3, 4)
        and raw[-1] not in b"aeiouwxy"
        and raw[-2] in b"aeiou"
        and raw[-3] not in b"aeiou"
    )
