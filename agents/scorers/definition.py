"""A scorer as data: signals, what each counts, its weight and its cap, in a YAML file.

A pattern is a regular expression that Rust's `regex` and Python's `re` read alike: no look-around
and no back-reference, so that no text takes more than linear time.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

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

    find: tuple[str, ...]
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

    at_least: int = 0
    """Where set, so many matches are one hit, and fewer are none."""

    @property
    def pattern(self) -> str:
        """The rule as one regular expression."""
        found = "|".join(self.find)
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

    signals: dict[str, Signal]
    """In the order in which they are added up."""

    failed: float | None = None
    """The score of a text that is no answer: without a word, or an error that stands for one.

    It has a signal `failed` then. Without this such a text is scored as any.
    """

    fixtures: tuple[dict[str, Any], ...] = ()
    """Texts, and what the scorer says of them: `text`, `score`, and perhaps `signals`."""

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
    except (OSError, ValueError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path} is no definition of a scorer: {error}.") from error
    for name, signal in found.signals.items():
        for rule in signal.count:
            for pattern in (*rule.find, *filter(None, [rule.less])):
                _check(pattern, f"{path}: signal {name}")
    return found


def _check(pattern: str, where: str) -> None:
    """Refuse what the two engines don't read alike, or what can take more than linear time."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigError(f'{where}: "{pattern}" is no pattern: {error}.') from error
    if found := _FOREIGN.search(pattern):
        raise ConfigError(
            f'{where}: "{pattern}" has {found[0]!r}; look-around, back-references, flags, ranges'
            " other than of letters or digits, and control characters other than \\n have no place"
            " in a scorer. Take off hits with `less`, or write another rule."
        )


NO_ANSWER = re.compile(r"\s*(?:<[^<>\s]{1,40}>\s*)*\Z|\s*ERROR:")
"""Matches, at its beginning, a text that is no answer: nothing, leaked tokens, an error."""

_FOREIGN = re.compile(
    r"\(\?(?!:)"  # look-around, flags, named groups
    r"|\\[0-9ABGZafrtuvxNU]"  # back-references, anchors, signs by number
    r"|\[[^\]]*(?:[^a-z]-[a-z]|[^A-Z]-[A-Z]|[^0-9]-[0-9]|[a-zA-Z0-9]-[^a-zA-Z0-9\]])"  # odd ranges
    r"|[\x00-\x09\x0b-\x1f\x7f]"
)
