"""The gate of a phase, and the digest of the policy that it makes.

All that decides is data here; what the rules do with it is `agents.rules`.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

import kernel
from schemas.generation import Outcome
from streams.duplicate import Duplicate

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$")]
Label = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*@[0-9][a-z0-9._-]*$")]


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lets a generation pass. All of it that decides is the phase's policy."""

    scorer: Label
    """Name and version, as `lek@2`."""

    threshold: Annotated[float, Meta(ge=-1e6, le=1e6)] | None
    """The least score that passes; none where the score is not a rule."""

    calibrated: Label | None = None
    """The scorer that the threshold was set for, and so `scorer`; none without a threshold."""

    outcomes: Annotated[tuple[Outcome, ...], Meta(min_length=1)]
    """How a generation may have ended."""

    leak_words: Count
    """So many words in a row from the kernel are a leak."""

    review_share: Share
    """The share of what passes that waits for a person, from 0 to 1."""

    words: tuple[Count, Count] | None = None
    """The least and the most words of a response; none where its length is free."""

    languages: Annotated[tuple[Language, ...], Meta(min_length=1)] | None = None
    """What a response may be written in, as BCP 47 primary tags; none where any will do."""

    names_axioms: bool = True
    """Whether a response may cite axioms; where not, they are to be lived, not named."""

    best: Count | None = None
    """How many of a probe's admitted generations are kept, the best; none keeps all."""

    duplicate: Duplicate = Duplicate()
    """Which responses dedup rejects for better ones."""

    def __post_init__(self) -> None:
        """Refuse bounds that no response can keep, and a threshold in another scorer's points."""
        refuse_crossed(self.words)
        if self.threshold is None or self.calibrated == self.scorer:
            return
        if self.calibrated is None:
            raise ValueError(
                f"Gate {self.threshold} does not say which scorer it was set for; write"
                f" `calibrated: {self.scorer}` beside it if that is the one"
            )
        raise ValueError(
            f"Gate {self.threshold} was set for {self.calibrated}, but the scores are from"
            f" {self.scorer}. Go back to {self.calibrated}, where `lem compare {self.calibrated}"
            f" {self.scorer}` shows what would change, or set a gate for {self.scorer}: its"
            f" threshold, and `calibrated: {self.scorer}`"
        )


def refuse_crossed(words: tuple[int, int] | None) -> None:
    """Raise where the least number of words is above the most.

    Raises:
        ValueError: With both.
    """
    if words and words[0] > words[1]:
        raise ValueError(f"words should be [least, most], got {list(words)}")


def digest(gate: Gate, held_out: Sequence[str] = ()) -> str:
    """SHA-256 over all that decides, in canonical JSON.

    Without `calibrated`: what must equal the scorer decides nothing. Without a rule that is not
    in use, so that a policy of before that rule keeps its digest.
    """
    fields = {field.name: field for field in msgspec.structs.fields(gate)}
    told = {
        name: value
        for name, value in msgspec.structs.asdict(gate).items()
        if name != "calibrated" and (fields[name].required or value != fields[name].default)
    }
    if not gate.names_axioms:
        told["axioms"] = kernel.axiom_names()
    if held_out:
        told["held_out"] = sorted(held_out)
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()
