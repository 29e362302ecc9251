"""One builder for each event type, with defaults: `scored(generation, score=0.9)`, sealed.

What differs in a test is said there; ids follow from content as on a real log. `World` is a log
with every fate that a generation can have.
"""

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from agents.scorers import scorer
from schemas import (
    Buried,
    Decided,
    Finding,
    Generated,
    Kernel,
    Materialized,
    Probed,
    Requested,
    Reviewed,
    Sampling,
    Scored,
    Started,
)
from schemas.base import Fact
from streams.envelope import draft
from streams.errors import ConfigError
from streams.ids import digest, sealed
from streams.log.door import Store

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
RUN = "distill-1-0123456789ab"
MODEL = "canned:answers.jsonl"
KERNEL = "lek-1.json"
SCORER = "lek@2"
OTHER = "grammar@3"
PLAIN_RUN = "ab-1-aaaaaaaaaaaa"
POLICY = digest("policy")


def probed(probe: str = "P01", prompt: str = "What is fair here?", **fields: Any) -> Probed:
    asked = {"domain": "ethics", "set": "core"} | fields
    return sealed(Probed(**(_origin(None, run=None) | {"probe": probe, "prompt": prompt} | asked)))


def started(run: str = RUN, **fields: Any) -> Started:
    kernel = Kernel(name=KERNEL, digest=digest("kernel"), text="kernel")
    asked = {
        "phase": "1",
        "model": MODEL,
        "sampling": Sampling(),
        "kernel": kernel,
        "samples": 1,
        "requests": 1,
    }
    return sealed(Started(**(_origin(None, run=run) | asked | fields)))


def requested(probe: Probed | None = None, *, run: str = RUN, **fields: Any) -> Requested:
    probe = probe or probed()
    asked = {
        "phase": "1",
        "probe": probe.probe,
        "original": probe.original,
        "prompt": probe.prompt,
        "model": MODEL,
        "kernel": KERNEL,
        "kernel_digest": digest(fields.get("kernel", KERNEL)),
        "sampling": Sampling(),
        "sample": 0,
    }
    return sealed(Requested(**(_origin(probe, run=run) | asked | fields)))


def generated(request: Requested | None = None, **fields: Any) -> Generated:
    request = request or requested()
    names = ("phase", "probe", "original", "prompt", "model", "kernel", "sample")
    answer = {name: getattr(request, name) for name in names} | {
        "request": request.id,
        "response": "A fair answer.",
        "outcome": "ok",
        "finish_reason": "stop",
    }
    return sealed(Generated(**(_origin(request) | answer | fields)))


def scored(generation: Generated, score: float = 30.0, **fields: Any) -> Scored:
    found = {
        "generation": generation.id,
        "phase": generation.phase,
        "scorer": SCORER,
        "definition": _definition(fields.get("scorer", SCORER)),
        "score": score,
        "signals": {"depth": 2.0},
    }
    return sealed(Scored(**(_origin(generation) | found | fields)))


def decided(score: Scored, verdict: str = "accepted", *, rule: str = "", **fields: Any) -> Decided:
    findings = (Finding(rule=rule, reason=f"It is {rule}."),) if rule else ()
    found = {
        "step": "gate",
        "generation": score.generation,
        "phase": score.phase,
        "policy": POLICY,
        "scorer": score.scorer,
        "score": score.score,
        "verdict": verdict,
        "findings": findings,
    }
    return sealed(Decided(**(_origin(score) | found | fields)))


def deduped(gate: Decided, duplicate_of: Generated | None = None, **fields: Any) -> Decided:
    """What dedup says after the gate: accepted, or rejected for another generation."""
    reason = f"The same text as {duplicate_of.id[:8]}." if duplicate_of else ""
    found = {
        "step": "dedup",
        "verdict": "rejected" if duplicate_of else "accepted",
        "findings": (Finding(rule="duplicate", reason=reason),) if duplicate_of else (),
        "fingerprint": digest(duplicate_of.id if duplicate_of else gate.generation),
        "duplicate_of": duplicate_of.id if duplicate_of else None,
    }
    names = ("generation", "phase", "policy", "scorer", "score")
    same = {name: getattr(gate, name) for name in names}
    return sealed(Decided(**(_origin(gate) | same | found | fields)))


def reviewed(gate: Decided, verdict: str = "accepted", **fields: Any) -> Reviewed:
    found = {"generation": gate.generation, "phase": gate.phase, "reviewer": "Ada"}
    return sealed(Reviewed(**(_origin(gate) | found | {"verdict": verdict} | fields)))


def materialized(*generations: Generated, **fields: Any) -> Materialized:
    found = {
        "phase": "1",
        "policy": POLICY,
        "scorer": SCORER,
        "files": (),
        "positions": (),
        "generations": tuple(generation.id for generation in generations),
    }
    return sealed(Materialized(**(_origin(None, run=None) | found | fields)))


def buried(**fields: Any) -> Buried:
    found = {
        "topic": "probes",
        "partition": 0,
        "offset": 7,
        "step": "rephrase",
        "error": "not JSON",
        "value": b"\x00{",
    }
    return sealed(Buried(**(_origin(None, run=None) | found | fields)))


def put(store: Store, *events: Fact) -> None:
    """Append the events, each to its topic."""
    store.append([draft(event) for event in events])


class World:
    """One log; each generation is called by what becomes of it."""

    def __init__(self) -> None:
        self.events: list[Fact] = [started(), started(PLAIN_RUN, kernel=None)]
        self.named: dict[str, Generated] = {}
        self._settled()
        self._disputed()
        self._compared()
        self._passed_over()

    def generation(self, name: str, run: str = RUN, **fields: Any) -> Generated:
        probe = probed(fields.pop("probe", name))
        asked = {key: fields.pop(key) for key in ("phase", "kernel") if key in fields}
        request = requested(probe, run=run, **asked)
        self.named[name] = generated(request, **fields)
        self.events += [probe, request, self.named[name]]
        return self.named[name]

    def gated(self, name: str, verdict: str = "accepted", score: float = 30.0, **more: Any) -> Any:
        """A generation, its score, and what the gate said of it."""
        found = scored(self.generation(name, **more), score)
        rule = {"accepted": "", "held": "review", "rejected": "threshold"}[verdict]
        gate = decided(found, verdict, rule=rule)
        self.events += [found, gate]
        return gate

    def _settled(self) -> None:
        kept = self.gated("accepted")
        copy = self.gated("duplicate")
        best = self.gated("best", score=40.0)
        chained = self.gated("chained")
        low = self.gated("low", "rejected", 3.0)
        self.events += [deduped(kept), deduped(best), deduped(copy, self.named["accepted"])]
        self.events += [deduped(chained, self.named["duplicate"]), reviewed(low)]

    def _disputed(self) -> None:
        """Those on which dedup or a person had something to say."""
        for name, said in (
            ("held", ()),
            ("approved", ("rejected", "accepted")),
            ("refused", ("accepted", "rejected")),
        ):
            gate = self.gated(name, "held")
            self.events.append(deduped(gate))
            self.events += [reviewed(gate, verdict, note="No.") for verdict in said]
        gate = self.gated("withdrawn")
        self.events += [deduped(gate), reviewed(gate, "rejected")]
        gate = self.gated("displaced")
        self.events += [deduped(gate), deduped(gate, self.named["best"])]
        self.gated("undeduped", "held")

    def _compared(self) -> None:
        """One probe with the kernel and without, by two scorers; and what failed."""
        for name, run, kernel, score in (
            ("with", RUN, KERNEL, 10.0),
            ("without", PLAIN_RUN, None, 12.0),
        ):
            found = self.generation(name, run, probe="P", kernel=kernel)
            self.events += [scored(found, score), scored(found, score / 2, scorer=OTHER)]
        failed = self.generation("failed", outcome="error", response="", error="No answer.")
        self.events.append(scored(failed, 0.0))
        self.generation("unscored", probe="unscored")

    def _passed_over(self) -> None:
        """An old policy's verdict, a phase without a policy, and what is no fate at all."""
        old = scored(self.generation("old"), 30.0)
        self.events += [old, decided(old, policy=digest("old"))]
        self.generation("strange", phase="9")
        self.events += [materialized(self.named["accepted"]), buried()]


@cache
def _definition(label: str) -> str:
    """That of the scorer, so that a log of these is one that the scorer can go on with."""
    with suppress(ConfigError):
        return scorer(label).definition
    return digest(label)


def _origin(cause: Fact | None, *, run: str | None = None) -> dict[str, Any]:
    return {
        "at": AT,
        "by": "lem/test@here",
        "run": run or (cause.run if cause else None),
        "cause": cause.id if cause else None,
    }
