"""The tokens of a text; and for a word that could be verb or noun, which of them it is here.

Such words are settled from left to right, each by signs for either side; what is settled counts
for those that follow. Time is linear in the text, whatever it holds.
"""

from collections import Counter
from itertools import accumulate
from typing import NamedTuple

from agents.scorers.grammar.readings import Token, pieces, readings
from agents.scorers.grammar.tables import TABLES, Mode


def tokens(text: str, mode: Mode) -> list[Token]:
    """The tokens of a text, in its order; none is left `dual`."""
    found = map(readings(mode), pieces(text))
    return _settled([token for reading in found for token in reading.tokens])


class _Text(NamedTuple):
    tokens: list[Token]
    """Settled up to the one in question."""

    clauses: list[int]
    """Which clause each is in."""

    sure_verbs: Counter[int]
    """How many verbs without doubt each clause has, so far."""

    plurals: frozenset[str]
    """The bases of all plural nouns."""

    inflected: frozenset[str]
    """The bases of all verbs that are not base forms."""


def _settled(found: list[Token]) -> list[Token]:
    places = [place for place, token in enumerate(found) if token.kind == "dual"]
    if not places:
        return found
    text = _read(found)
    for place in places:
        token = _decided(found[place], *_weighed(text, place))
        found[place] = token
        text.sure_verbs[text.clauses[place]] += _is_sure_verb(token)
    return found


def _read(found: list[Token]) -> _Text:
    clauses = list(accumulate(int(_ends_clause(token)) for token in found))
    sure = (clause for token, clause in zip(found, clauses, strict=True) if _is_sure_verb(token))
    return _Text(
        tokens=found,
        clauses=clauses,
        sure_verbs=Counter(sure),
        plurals=frozenset(token.key for token in found if token.form == "plural"),
        inflected=frozenset(token.key for token in found if token.form in ("past", "gerund")),
    )


def _weighed(text: _Text, place: int) -> tuple[float, float]:
    """The evidence for a verb, and for a noun, at this place."""
    weigh = TABLES.evidence
    word = text.tokens[place].key
    previous = text.tokens[place - 1].text if place else ""
    follower = _asked_for_by(text.tokens[place + 1]) if place + 1 < len(text.tokens) else ""
    verb = (
        weigh.auxiliary * (previous in TABLES.auxiliaries)
        + weigh.following * (follower == "verb")
        + weigh.position * (place == 0)
        + weigh.echo * (word in text.plurals)
        + weigh.prior
    )
    noun = (
        weigh.determiner * (previous in TABLES.determiners)
        + weigh.following * (follower == "noun")
        + weigh.saturation * (text.sure_verbs[text.clauses[place]] > 0)
        + weigh.echo * (word in text.inflected)
    )
    return verb, noun


def _decided(token: Token, verb: float, noun: float) -> Token:
    doubt = TABLES.doubt
    winning, losing = max(verb, noun), min(verb, noun)
    confidence, other = winning / (verb + noun), losing / (verb + noun)
    if verb + noun < doubt.least:
        confidence, other = doubt.favoured, 1 - doubt.favoured
    is_verb = verb >= noun
    return token._replace(
        kind="verb" if is_verb else "noun",
        form="base" if is_verb else "singular",
        confidence=confidence,
        other=other,
    )


def _asked_for_by(following: Token) -> str:
    """What class the next token makes likely before it."""
    if following.kind in ("article", "noun") or following.text in TABLES.determiners:
        return "verb"
    return "noun" if following.kind == "verb" else ""


def _ends_clause(token: Token) -> bool:
    return token.kind == "mark" or token.text in TABLES.clause_openers


def _is_sure_verb(token: Token) -> bool:
    return token.kind == "verb" and token.confidence >= 1
