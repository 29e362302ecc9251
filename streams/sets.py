"""Probe sets as the curriculum binds them: what each probe of a set must have.

A set that is not listed there, a user's own or an imported one, is bound to nothing.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from streams.errors import ConfigError

Count = Annotated[int, Meta(ge=1)]
Text = Annotated[str, Meta(min_length=1)]


class ProbeSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for every probe of one set."""

    title: Text
    """A few words."""

    domains: Annotated[tuple[Text, ...], Meta(min_length=1)]
    """Those that are known; a probe has one of them."""

    least: Count | None = None
    """So many probes each domain has at least; none where that is open."""

    stakeholders: tuple[Count, Count] | None = None
    """How many people a probe names, at least and at most; none where it need not."""

    language: Literal["required", "optional"] = "required"
    """Whether each probe says its language."""

    draft: Text | None = None
    """What a model is told that drafts a probe, with `{domain}`, `{language}`, `{stakeholders}`
    (their number) and `{example}` (a probe that is there) in it; none where none is drafted."""

    def __post_init__(self) -> None:
        """Refuse what no probe can keep, and a domain that stands twice."""
        if self.stakeholders and self.stakeholders[0] > self.stakeholders[1]:
            raise ValueError(f"stakeholders should be [least, most], got {list(self.stakeholders)}")
        if twice := [name for name in self.domains if self.domains.count(name) > 1]:
            raise ValueError(f'the domain "{twice[0]}" stands twice')
        if self.draft:
            _refuse_unknown(self.draft, ["stakeholders"] if self.stakeholders else [])


def _refuse_unknown(template: str, more: list[str]) -> None:
    known = ["domain", "language", "example", *more]
    try:
        template.format(**dict.fromkeys(known, ""))
    except (LookupError, ValueError) as error:
        names = ", ".join(f"{{{name}}}" for name in known)
        raise ValueError(
            f"draft can't be filled in ({error}); there are {names}, and other braces are doubled"
        ) from error


def parsed(path: Path, sets: Any) -> dict[str, ProbeSet]:
    """The sets of a curriculum.

    Raises:
        ConfigError: They are no mapping, or a value can't be used; the message names its place.
    """
    if not isinstance(sets, dict):
        raise ConfigError(f'{path}: "sets" should be a mapping of name to set.')
    return {str(name): _set(path, str(name), body) for name, body in sets.items()}


def _set(path: Path, name: str, body: Any) -> ProbeSet:
    try:
        return msgspec.convert(body, ProbeSet)
    except msgspec.ValidationError as error:
        raise ConfigError(f'{path}: set "{name}": {error}') from error
