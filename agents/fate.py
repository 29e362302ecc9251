"""Fate: what became of a generation under its phase's policy of now, why, and what would change it.

Follows the rules of the view `verdicts`, from the generation's own events alone: so it takes no
look at all the others. Only where the best of a probe are kept are these looked at.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from agents.reviewing.opinions import counting
from agents.words import length
from schemas import Decided, Event, Finding, Generated, Materialized, Refused, Reviewed
from streams.curriculum import Phase

Verdict = Literal["accepted", "held", "rejected", "pending"]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """How a generation does among the answers to its probe, where only the best are kept."""

    place: int
    """From 1."""
    reason: str | None
    """Why it is not kept; none where it is."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that holds a generation, or whose checks kept it out."""

    id: str
    phase: str
    row: int | None = None
    """The first of its rows, from 1."""
    refused: Refused | None = None


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a generation."""

    verdict: Verdict | None
    """None where no phase judges it."""

    phase: str
    score: float | None = None
    """By the scorer of the phase's gate."""

    findings: tuple[Finding, ...] = ()
    """Every rule that speaks against it, in the order in which they are asked."""

    kept: tuple[str, ...] = ()
    """The better ones that it was left out for, each for the next; the last one stays."""

    remedies: tuple[str, ...] = ()
    """What would have let it in, as sentences."""


def fate(
    generated: Generated,
    events: Iterable[Event],
    phase: Phase | None,
    *,
    kept: Sequence[str] = (),
    ranked: Ranked | None = None,
    twin: str | None = None,
) -> Fate:
    """Judge a generation.

    Args:
        generated: The generation.
        events: What is known of it, in the order of the log.
        phase: Its phase as the curriculum has it now; none where it has no such phase.
        kept: What it was left out for, as `kept_instead` has it.
        ranked: Its place among the answers to its probe; none where all are kept.
        twin: Why it is a duplicate, where two workers kept one text each and dedup has yet to say
            so: it stands in no event of its own.
    """
    if phase is None:
        return Fate(verdict=None, phase=generated.phase)
    own = [each for each in events if _is_about(each, generated)]
    decided = [each for each in own if isinstance(each, Decided) and each.policy == phase.policy]
    gate = next((each for each in reversed(decided) if each.step == "gate"), None)
    dedup = _deduped(decided)
    review = counting(each for each in own if isinstance(each, Reviewed))
    verdict, findings = _judged(gate, dedup, review, ranked)
    if twin and verdict in ("accepted", "held"):
        verdict, findings = "rejected", (Finding(rule="duplicate", reason=twin),)
    return Fate(
        verdict=verdict,
        phase=phase.name,
        score=gate.score if gate else None,
        findings=findings,
        kept=tuple(kept),
        remedies=tuple(_remedies(findings, _Seen(generated, gate, dedup, ranked))),
    )


def duplicate_of(generation: str, events: Iterable[Event], policy: str) -> str | None:
    """The better one that a generation was left out for; none where it was not."""
    own = [
        each
        for each in events
        if isinstance(each, Decided) and each.generation == generation and each.policy == policy
    ]
    dedup = _deduped(own)
    return dedup.duplicate_of if dedup else None


def _is_about(event: Event, generated: Generated) -> bool:
    return getattr(event, "generation", None) == generated.id


def _deduped(decided: Sequence[Decided]) -> Decided | None:
    """Dedup's last word: rejected once is rejected, in favour of the last one told."""
    said = [each for each in decided if each.step == "dedup"]
    rejected = [each for each in said if each.verdict == "rejected"]
    return next(reversed(rejected or said), None)


def _judged(
    gate: Decided | None, dedup: Decided | None, review: Reviewed | None, ranked: Ranked | None
) -> tuple[Verdict, tuple[Finding, ...]]:
    """As the view `verdicts` does: gate, dedup, review, hold, best."""
    if gate and gate.verdict == "rejected":
        return "rejected", gate.findings
    if gate is None or dedup is None:
        return "pending", ()
    if dedup.verdict == "rejected":
        return "rejected", dedup.findings
    if review and review.verdict == "rejected":
        said = review.note or f"{review.reviewer} rejected it."
        return "rejected", (Finding(rule="review", reason=said),)
    if gate.verdict == "held" and review is None:
        return "held", gate.findings
    if ranked and ranked.reason:
        return "rejected", (Finding(rule="best", reason=ranked.reason),)
    return "accepted", ()


class _Seen(NamedTuple):
    """What a remedy is told of."""

    generated: Generated
    gate: Decided | None
    dedup: Decided | None
    ranked: Ranked | None


def _remedies(findings: Sequence[Finding], seen: _Seen) -> Iterator[str]:
    for rule in dict.fromkeys(each.rule for each in findings):
        yield _REMEDIES.get(rule, f"has to pass `{rule}`").format(
            score=f"{seen.gate.score:g}" if seen.gate else "",
            words=length(seen.generated.response),
            outcome=seen.generated.outcome,
            apart=_apart(seen.dedup) if rule == "duplicate" and seen.dedup else "",
            place=seen.ranked.place if seen.ranked else "",
            id=seen.generated.id[:8],
        )


_REMEDIES = {
    "threshold": "passes at a threshold of {score} or less",
    "words": "passes where {words} words are allowed",
    "outcome": "passes where `outcomes` has {outcome}",
    "axiom_named": "passes where `names_axioms` is true",
    "kernel_leak": "repeats the kernel: only another answer passes",
    "contamination": "overlaps with what is held out: only another answer passes",
    "language": "passes where `languages` has its own",
    "duplicate": "{apart}",
    "best": "passes where `best` is {place} or more",
    "review": "waits for `lem review {id} --accept`",
}


def _apart(dedup: Decided) -> str:
    if dedup.similarity is None or dedup.similarity >= 1:
        return "equals a better one: only another text passes"
    return f"passes where `duplicate.similarity` is above {dedup.similarity:.3f}"


def memberships(generation: str, made: Iterable[Materialized]) -> list[Membership]:
    """The datasets that hold a generation or have refused it, the newest first."""
    return [found for each in reversed([*made]) for found in _members(generation, each)]


def _members(generation: str, made: Materialized) -> Iterator[Membership]:
    if generation in made.generations:
        row = made.generations.index(generation) + 1
        yield Membership(id=made.id, phase=made.phase, row=row)
    for refused in made.refused:
        if refused.generation == generation:
            yield Membership(id=made.id, phase=made.phase, refused=refused)
