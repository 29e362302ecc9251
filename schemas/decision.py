"""It was decided whether a generation may become training data."""

from typing import ClassVar, Literal

import msgspec

from schemas.base import Fact

Verdict = Literal["accepted", "held", "rejected"]
Step = Literal["gate", "dedup"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that spoke against a generation."""

    rule: str
    """Short and machine-readable: `threshold`, `outcome`, `kernel_leak`, `words`, `language`,
    `axiom_named`, `contamination`, `review`, `duplicate`."""

    reason: str
    """A sentence for a person, with the values."""


class Decided(Fact, frozen=True, kw_only=True, tag="decided"):
    """A step let a generation pass, held it for review, or rejected it."""

    identity: ClassVar[tuple[str, ...]] = (
        "step",
        "generation",
        "policy",
        "verdict",
        "score",
        "duplicate_of",
    )

    step: Step
    """Who decided."""

    generation: str
    """The id of the generation."""

    phase: str
    """The phase whose policy was applied."""

    policy: str
    """SHA-256 over the policy's text: another threshold is another policy."""

    scorer: str
    """The scorer version that the policy names."""

    score: float
    """The score that was judged."""

    verdict: Verdict
    """`held` waits for a person; nothing held or rejected is trained on."""

    findings: tuple[Finding, ...] = ()
    """Every rule that failed, not only the first."""

    fingerprint: str | None = None
    """Dedup: SHA-256 of the normalised response; equal texts have equal ones."""

    duplicate_of: str | None = None
    """Dedup: the better generation for which this one is rejected."""

    similarity: float | None = None
    """Dedup: that of the two responses, up to 1.0 for equal ones."""
