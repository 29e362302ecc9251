"""The tables of `tables.yaml`, typed. What they mean is told where they are used."""

from importlib.resources import files
from typing import Literal, NamedTuple

import msgspec

Mode = Literal["as_run", "initialised"]
"""`as_run` lacks the words that the reference's programs never loaded."""

Tense = Literal["base", "past", "gerund"]


Count = Literal["verbs", "tenses", "nouns", "numbers", "articles", "words", "marks", "duals"]
"""What is counted apart; `numbers` are singular and plural."""


class Verb(NamedTuple):
    """A word read as a verb."""

    base: str
    tense: Tense


class Noun(NamedTuple):
    """A word read as a noun."""

    base: str
    is_plural: bool


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Verbs(_Table, frozen=True):
    """Base forms, and the forms that the rules don't give."""

    past: dict[str, str]
    gerund: dict[str, str]
    doubled_in_gerund: tuple[str, ...]
    doubled: tuple[str, ...]
    regular: tuple[str, ...]
    initialised: tuple[str, ...]


class Nouns(_Table, frozen=True):
    """Singulars, and the plurals that the rules don't give."""

    plural: dict[str, str]
    initialised: tuple[str, ...]


class Evidence(_Table, frozen=True):
    """What each sign weighs where a word could be verb or noun."""

    determiner: float
    auxiliary: float
    following: float
    position: float
    saturation: float
    echo: float
    prior: float


class Doubt(_Table, frozen=True):
    """How sure a reading is that little speaks for."""

    least: float
    favoured: float


class Term(_Table, frozen=True):
    """What one signal gives to the composite."""

    weight: float
    gain: float = 1.0
    full: float = 1.0
    cap: float | None = 1.0


class Sycophantic(_Table, frozen=True):
    """Where likeness to the prompt counts against a response."""

    echo_above: float
    uplift_below: float


class Tables(_Table, frozen=True):
    """Everything in the file."""

    verbs: Verbs
    nouns: Nouns
    articles: dict[str, str]
    words: dict[str, str]
    marks: dict[str, str]
    never_doubled: frozenset[str]
    plural_in_es: frozenset[str]
    duals: frozenset[str]
    determiners: frozenset[str]
    auxiliaries: frozenset[str]
    clause_openers: frozenset[str]
    evidence: Evidence
    doubt: Doubt
    likeness: dict[Count, float]
    composite: dict[str, Term]
    sycophantic: Sycophantic


TABLES = msgspec.yaml.decode(files(__package__).joinpath("tables.yaml").read_bytes(), type=Tables)
