"""A person looked at a generation that was on hold."""

from typing import ClassVar, Literal

from schemas.base import Fact


class Reviewed(Fact, frozen=True, kw_only=True, tag="reviewed"):
    """A reviewer's verdict; a changed mind is a further event, and the latest counts."""

    identity: ClassVar[tuple[str, ...]] = ("generation", "reviewer", "verdict", "note", "at")

    generation: str
    """The id of the generation."""

    phase: str
    """The phase it was held in."""

    reviewer: str
    """Who looked."""

    verdict: Literal["accepted", "rejected"]
    """What the reviewer decided."""

    note: str = ""
    """In the reviewer's words."""
