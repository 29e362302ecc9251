"""A scorer held against what its author says of it, and against what has been said to it so far.

Its fixtures have to be scored as they expect. Of its rules some may never fire: each is a single
phrase or pattern of a list, and it has fired where it leads to a hit.
"""

from collections.abc import Iterator, Sequence
from math import isclose
from typing import TYPE_CHECKING

import msgspec

from agents.scorers.base import Fired, Fixture, Hit, Score, Scorer, Sought
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.replay import Views

_AT_ONCE = 1000  # responses in memory; at 100 KB each, 100 MB
_NEAR = 0.00501  # what is written with two decimals

_RESPONSES = "from generations where response <> '' and ($phase is null or phase = $phase)"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a scorer doesn't do what a fixture says."""

    fixture: int
    """Which it is, from 1."""

    text: str
    """Its text."""

    what: str
    """`score`, the name of a signal, or `error` where the scorer broke off."""

    expected: float | None
    found: float | str | None
    """None for a signal that there is not; of an error, what it says."""


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that never fired."""

    signal: str
    rule: str
    """As it stands in the definition."""

    is_hidden: bool
    """It does match, but wherever it does, another of its list matches there or just before."""


def differences(one: Scorer) -> Iterator[Difference]:
    """Where the scorer's fixtures expect something else; a signal that is not named is free."""
    for number, fixture in enumerate(one.fixtures, 1):
        for what, expected, found in _differing(one, fixture):
            yield Difference(
                fixture=number, text=fixture.text, what=what, expected=expected, found=found
            )


def _differing(
    one: Scorer, fixture: Fixture
) -> Iterator[tuple[str, float | None, float | str | None]]:
    try:
        score = one.one(fixture.text, fixture.prompt)
    except Exception as error:
        yield "error", None, f"{type(error).__name__}: {error}"
        return
    for what, expected, found in _compared(fixture, score):
        if found is None or not isclose(found, expected, rel_tol=0, abs_tol=_NEAR):
            yield what, expected, found


def _compared(fixture: Fixture, score: Score) -> Iterator[tuple[str, float, float | None]]:
    yield "score", fixture.score, score.score
    for name, expected in fixture.signals.items():
        yield name, expected, score.signals.get(name)


class Silence:
    """The rules of a scorer that have not fired in any response so far."""

    def __init__(self, one: Scorer) -> None:
        """Begin with all of its rules."""
        self._scorer = one
        self._silent = dict.fromkeys(one.rules)
        self._met: set[Sought] = set()

    def hear(self, responses: Sequence[str]) -> None:
        """Look for those that are left in further responses.

        Raises:
            ConfigError: The scorer broke off.
        """
        if self._silent:
            try:
                found = self._fired(responses)
            except Exception as error:
                said = f"Scorer {self._scorer.label} can't tell where it fires: {error}."
                raise ConfigError(said) from error
            self._met |= found.met
            self._silent = {rule: None for rule in self._silent if rule not in found.fired}

    @property
    def rules(self) -> list[Silent]:
        """Those that are left, in the order of the definition."""
        return [
            Silent(signal=rule.signal, rule=rule.rule, is_hidden=rule in self._met)
            for rule in self._silent
        ]

    def _fired(self, responses: Sequence[str]) -> Fired:
        if self._scorer.fired:
            return self._scorer.fired(responses, self._silent.keys())
        hits = self._scorer.hits
        found = {
            (hit.signal, hit.rule) for text in responses for hit in (hits(text) if hits else ())
        }
        return Fired({Sought(*each) for each in found}, set())


def _none(_: str) -> list[Hit]:
    return []


def responses(views: "Views", phase: str | None) -> Iterator[list[str]]:
    """The responses on the log, of one phase or of all, in batches; the empty ones aside."""
    found = views.db.cursor().execute(f"select response {_RESPONSES}", {"phase": phase})
    while rows := found.fetchmany(_AT_ONCE):
        yield [response for (response,) in rows]


def count(views: "Views", phase: str | None) -> int:
    """How many responses that is."""
    (row,) = views.rows(f"select count(*) as n {_RESPONSES}", {"phase": phase})
    return int(row["n"])
