"""A person looked at a generation, most often at one that was on hold."""

from typing import ClassVar, Literal

from schemas.base import Fact

Review = Literal["accepted", "rejected", "withdrawn"]


class Reviewed(Fact, frozen=True, kw_only=True, tag="reviewed"):
    """A reviewer's verdict; a changed mind is a further event, and the latest counts."""

    identity: ClassVar[tuple[str, ...]] = ("generation", "reviewer", "verdict", "note", "at")

    generation: str
    """The id of the generation."""

    phase: str
    """The generation's phase."""

    reviewer: str
    """Who looked."""

    verdict: Review
    """What the reviewer decided; `withdrawn` takes back what the same reviewer said before."""

    note: str = ""
    """In the reviewer's words."""
