"""A record could not be read, or made a step fail, and was put aside."""

from typing import ClassVar

from schemas.base import Fact


class Buried(Fact, frozen=True, kw_only=True, tag="buried"):
    """A record that a step could not use, with its bytes, so that nothing is lost."""

    identity: ClassVar[tuple[str, ...]] = ("topic", "partition", "offset", "step")

    topic: str
    """Where it stands."""

    partition: int
    """From 0."""

    offset: int
    """From 0."""

    step: str
    """The agent that could not use it."""

    error: str
    """What was wrong, where in the record."""

    value: bytes
    """The record as it was."""
