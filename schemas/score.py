"""A scorer gave a generation its score."""

from typing import ClassVar

from schemas.base import Fact


class Scored(Fact, frozen=True, kw_only=True, tag="scored"):
    """One generation's score by one scorer version.

    Another scorer version gives a generation another score, and this one stays.
    """

    identity: ClassVar[tuple[str, ...]] = ("generation", "scorer", "definition")

    generation: str
    """The id of the generation."""

    phase: str
    """The generation's phase."""

    scorer: str
    """Name and version, as `lek@2`."""

    definition: str
    """SHA-256 over the scorer's definition: patterns, weights, caps."""

    score: float
    """In the scorer's own range."""

    signals: dict[str, float]
    """What was counted, before weights and caps."""
