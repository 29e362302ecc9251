"""What gate and dedup decide by: pure functions, without Faust, files or a clock.

Chance has no part in them: what is drawn by lot is drawn by a hash, so that a replay decides
as the first run did.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol

from agents import axioms
from agents.contamination import HeldOut
from agents.languages import languages
from agents.leaks import leak as leak
from agents.words import length
from agents.words import normalised as normalised
from schemas.decision import Finding, Verdict

if TYPE_CHECKING:
    from streams.curriculum import Gate

_NOTHING = HeldOut(())


class Answered(Protocol):
    """As much of a generation as its rules look at."""

    @property
    def prompt(self) -> str:
        """What the model was asked."""

    @property
    def response(self) -> str:
        """What it said."""

    @property
    def outcome(self) -> str:
        """How that ended."""

    @property
    def error(self) -> str | None:
        """Why it failed, if it did."""


def findings(
    generated: Answered,
    score: float,
    gate: "Gate",
    kernels: Mapping[str, str],
    held_out: HeldOut = _NOTHING,
) -> tuple[Finding, ...]:
    """Every rule that speaks against a generation, not only the first; none where it passes.

    Args:
        generated: What a model answered.
        score: By the scorer that the gate names.
        gate: The phase's bounds.
        kernels: Texts by name. All are looked for, whichever the generation was given.
        held_out: The probes that nothing may be trained on.
    """
    reasons = {
        "outcome": _outcome(generated, gate),
        "threshold": _threshold(score, gate),
        "kernel_leak": _kernel_leak(generated.response, gate, kernels),
        "words": _length(generated.response, gate),
        "language": _language(generated.response, gate),
        "axiom_named": _axiom_named(generated.response, gate, kernels),
        "contamination": _contamination(generated, held_out),
    }
    return tuple(Finding(rule=rule, reason=said) for rule, said in reasons.items() if said)


def passes(score: float, gate: "Gate") -> bool:
    """Whether a score is high enough; one that is not a number isn't."""
    return gate.threshold is None or score >= gate.threshold


def verdict(
    generation_id: str, found: tuple[Finding, ...], *, review_share: float
) -> tuple[Verdict, tuple[Finding, ...]]:
    """Reject, hold or accept, and with what reasons.

    Args:
        generation_id: Decides, by its hash, whether a person shall look.
        found: What speaks against it; any one rejects.
        review_share: Of what passes, from 0.0, nobody looks, to 1.0, all is held.
    """
    if found:
        return "rejected", found
    if _drawn("review", generation_id) / _DRAWS < review_share:
        reason = f"Drawn for review: a person reads {100 * review_share:g} % of what passes."
        return "held", (Finding(rule="review", reason=reason),)
    return "accepted", ()


def fingerprint(text: str) -> str:
    """SHA-256 of the normalised text; texts with one fingerprint are duplicates."""
    return mark(normalised(text))


def mark(normal: str) -> str:
    """The fingerprint of a text that is normalised already."""
    return hashlib.sha256(normal.encode(errors="surrogatepass")).hexdigest()


def better(one: tuple[float, str], other: tuple[float, str]) -> bool:
    """Whether `one` is kept, of two duplicates told by score and generation id.

    The higher score wins, then the smaller id: never the first to arrive, which differs from
    run to run.
    """
    return (-one[0], one[1]) < (-other[0], other[1])


def split_of(original_probe: str, *, train: int, valid: int) -> Literal["train", "valid", "test"]:
    """The split of a probe and of all its rephrasings, which must not stand on both sides.

    It follows from the id alone: what else is told of a probe may come later, or differ between
    its voices, and a probe must never move.

    Args:
        original_probe: The id of the probe that was written by hand.
        train: Per cent of the probes.
        valid: Per cent of the probes; what is left is test.
    """
    bucket = _drawn("split", original_probe) % 100
    if bucket < train:
        return "train"
    return "valid" if bucket < train + valid else "test"


def _outcome(generated: Answered, gate: "Gate") -> str | None:
    if generated.outcome in gate.outcomes:
        return None
    why = f": {generated.error.rstrip('.')}" if generated.error else ""
    return f"The outcome is {generated.outcome}, not {' or '.join(gate.outcomes)}{why}."


def _threshold(score: float, gate: "Gate") -> str | None:
    if passes(score, gate):
        return None
    return f"The score {score} by {gate.scorer} is below {gate.threshold}."


def _kernel_leak(response: str, gate: "Gate", kernels: Mapping[str, str]) -> str | None:
    for name, kernel in sorted(kernels.items()):
        if run := leak(response, kernel, gate.leak_words):
            return f'The response repeats {len(run.split())} words of kernel {name}: "{run}".'
    return None


def _length(response: str, gate: "Gate") -> str | None:
    if gate.words is None:
        return None
    least, most = gate.words
    if least <= (count := length(response)) <= most:
        return None
    bound = f"at least {least}" if count < least else f"at most {most}"
    return f"The response has {count} words; it should have {bound}."


def _language(response: str, gate: "Gate") -> str | None:
    if gate.languages is None:
        return None
    found = languages(response)
    if not found or not {*found}.isdisjoint(gate.languages):
        return None
    return f"The response is in {' or '.join(found)}, not {' or '.join(gate.languages)}."


def _axiom_named(response: str, gate: "Gate", kernels: Mapping[str, str]) -> str | None:
    if gate.names_axioms or not (cited := axioms.named(response, kernels.values())):
        return None
    return f'The response cites an axiom, "{cited}", where none may be named.'


def _contamination(generated: Answered, held_out: HeldOut) -> str | None:
    found = held_out.overlap(generated.prompt, of="prompt")
    found = found or held_out.overlap(generated.response, of="response")
    return found.reason if found else None


_DRAWS = 2**48  # a float holds each of them exactly


def _drawn(lot: str, key: str) -> int:
    """A number below `_DRAWS`, the same for the same lot and key on every machine."""
    return int.from_bytes(hashlib.sha256(f"{lot}:{key}".encode()).digest()[:6])
