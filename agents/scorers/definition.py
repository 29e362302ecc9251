"""A scorer as data: signals, what each counts, its weight and its cap, in a YAML file.

A pattern is a regular expression as `agents/scorers/pattern.py` takes it: no look-around and no
back-reference, so that no text takes more than linear time.
"""

import re
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from agents.scorers import pattern
from agents.scorers.alphabet import MOST_NAMED
from agents.scorers.base import Fixture
from streams.errors import ConfigError
from streams.ids import digest

Measure = Literal["distinct_words", "short", "repeats"]


class _Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What is as usual is not written, so that a field added later changes no digest."""


class Rule(_Part, frozen=True, kw_only=True):
    """What is counted: matches that don't overlap, sought from the left.

    Of several that could match at one place, the first in the list does.
    """

    find: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Patterns."""

    whole: bool = False
    """Only as whole words: no letter, digit or underscore next to the match."""

    fold: bool = False
    """In any case."""

    at_start: bool = False
    """Only where the text begins, so once at most."""

    but_first: bool = False
    """In the text without its first character."""

    less: str = ""
    """A pattern whose matches, in the same text, are taken off."""

    at_least: Annotated[int, Meta(ge=0)] = 0
    """Where set, so many matches are one hit, and fewer are none."""

    @property
    def pattern(self) -> str:
        """The rule as one regular expression."""
        return self.around("|".join(self.find))

    def around(self, found: str) -> str:
        """A pattern with what the rule asks for about each of its matches."""
        if self.whole:
            return rf"\b(?:{found})\b"
        return rf"\A(?:{found})" if self.at_start else f"(?:{found})"


class Signal(_Part, frozen=True, kw_only=True):
    """What is counted, and what it is worth."""

    weight: float
    """What each hit adds."""

    cap: float | None = None
    """The most that the signal can add."""

    base: float = 0
    """The count of a text without a hit."""

    count: tuple[Rule, ...] = ()
    """Their hits are added up."""

    most: float | None = None
    """The count is no higher."""

    measure: Measure | None = None
    """What is measured, too; see `agents/scorers/measures.py`."""

    limits: dict[str, float] = {}
    """Of the measure."""


class Definition(_Part, frozen=True, kw_only=True):
    """A scorer, as its file has it."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[str, Meta(pattern=r"^[0-9][a-z0-9.-]*$")]
    summary: str
    """One sentence."""

    signals: Annotated[dict[str, Signal], Meta(min_length=1)]
    """In the order in which they are added up."""

    failed: float | None = None
    """The score of a text that is no answer: without a word, or an error that stands for one.

    It has a signal `failed` then. Without this such a text is scored as any.
    """

    fixtures: tuple[Fixture, ...] = ()
    """Texts, and what the scorer says of them."""

    @property
    def source(self) -> dict[str, Any]:
        """As it stands in a file, without what is as usual."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields

    @property
    def digest(self) -> str:
        """SHA-256 over all that a score depends on."""
        fields = self.source
        return digest({k: v for k, v in fields.items() if k not in ("summary", "fixtures")})


def load(path: Path) -> Definition:
    """The definition in a file.

    Raises:
        ConfigError: The file can't be read, or holds a pattern that can't be used.
    """
    import yaml

    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = msgspec.convert(read, Definition)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"{path} is no definition of a scorer: {said}.") from error
    try:
        _check(found)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}.") from error
    return found


def _check(found: Definition) -> None:
    """Refuse what can't be counted, or not alike in every engine, or gives no number."""
    patterns = [each for one in found.signals.values() for each in _patterns(one)]
    named = {sign for each in patterns for sign in each if not sign.isascii()}
    if len(named) > MOST_NAMED:
        raise ValueError(
            f"its patterns name {len(named)} signs that are not ASCII, {MOST_NAMED} at most"
        )
    if "failed" in found.signals and found.failed is not None:
        raise ValueError("there is a signal `failed` where the scorer has one of its own")
    for name, signal in found.signals.items():
        try:
            _check_signal(signal)
        except ValueError as error:
            raise ValueError(f"signal {name}: {error}") from error
    if not isfinite(found.failed or 0):
        raise ValueError(f"failed is {found.failed}, which is no number to score with")


def _check_signal(signal: Signal) -> None:
    for rule in signal.count:
        for group in (rule.find, filter(None, [rule.less])):
            _check_patterns(group)
    numbers = (signal.weight, signal.cap, signal.base, signal.most, *signal.limits.values())
    if not all(map(isfinite, filter(None, numbers))):
        raise ValueError("one of its numbers is no number to score with")
    least = _LEAST_LIMITS[signal.measure]
    if signal.limits.keys() != least.keys():
        told, wanted = (", ".join(each) or "none" for each in (signal.limits, least))
        raise ValueError(f"its limits are {told}; by its measure they have to be {wanted}")
    for limit, value in least.items():
        if signal.limits[limit] < value:
            raise ValueError(f"its limit `{limit}` is {signal.limits[limit]:g}, below {value}")


def _check_patterns(group: Iterable[str]) -> None:
    """Refuse patterns that can't be counted, alone or as the alternatives of one."""
    total = 0
    for each in group:
        try:
            total += pattern.size(each)
        except ValueError as error:
            raise ValueError(f'"{each}" {error}') from error
        if total > pattern.LARGEST:
            raise ValueError(
                f'"{each}" makes the rule too large by its repetitions: with what stands before it'
                f" {total:,} bytes, {pattern.LARGEST:,} at most. Repeat less, or make two rules"
            )


def _patterns(signal: Signal) -> Iterator[str]:
    for rule in signal.count:
        yield from rule.find
        yield rule.less


NO_ANSWER = re.compile(r"\s*(?:<[^<>\s]{1,40}>\s*)*\Z|\s*ERROR:")
"""Matches, at its beginning, a text that is no answer: nothing, leaked tokens, an error."""

_LEAST_LIMITS: dict[Measure | None, dict[str, int]] = {
    None: {},
    "distinct_words": {"longer_than": 0, "severe": 0, "mild": 0},
    "short": {"below": 0},
    "repeats": {"length": 1, "times": 3},
}
"""What each measure has to be told, and no less."""
