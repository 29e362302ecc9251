"""Every scorer by name and version, and what each says about a text.

A scorer is a pure function. A version never changes: another pattern, weight or cap is
another version, in a module of its own that is entered here.
"""

from collections.abc import Callable

import msgspec

from agents.scorers import lek_v2
from streams.errors import ConfigError
from streams.ids import digest


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer says about one text."""

    score: float
    """In the scorer's own range."""

    signals: dict[str, float]
    """What was counted, before weights and caps."""


class Scorer(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a scorer."""

    name: str
    """As `lek`."""

    version: str
    """As `2`."""

    definition: str
    """SHA-256 over patterns, weights and caps; stands in every event that it leads to."""

    function: Callable[[str], Score]
    """The same text always gets the same score."""

    @property
    def label(self) -> str:
        """Name and version, as `lek@2`: a score is never said without both."""
        return f"{self.name}@{self.version}"


def scorers() -> tuple[Scorer, ...]:
    """Every scorer, by name and then by version."""
    return _SCORERS


def scorer(label: str) -> Scorer:
    """The scorer of this name and version.

    Raises:
        ConfigError: There is none, or the version is missing; it names those there are.
    """
    for one in _SCORERS:
        if one.label == label:
            return one
    raise ConfigError(_unknown(label))


def _unknown(label: str) -> str:
    name, _, version = label.partition("@")
    labels = ", ".join(one.label for one in _SCORERS)
    if not version:
        return f'Scorer "{label}" has no version; name one of {labels}.'
    versions = ", ".join(one.version for one in _SCORERS if one.name == name)
    there_are = f"versions {versions}" if versions else labels
    return (
        f'No scorer "{name}" version {version}; there are {there_are}. '
        "They live in agents/scorers/."
    )


def _lek_v2(text: str) -> Score:
    counted = lek_v2.signals(text)
    return Score(score=lek_v2.total(counted), signals=counted)


_SCORERS = (
    Scorer(name="lek", version="2", definition=digest(lek_v2.DEFINITION), function=_lek_v2),
)
