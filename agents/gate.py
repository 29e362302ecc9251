"""Gate: the phase's policy accepts, holds or rejects each scored generation.

Decisions stand under the digest of the policy that made them. When the policy changes, old
generations are decided again under the new digest, and the old decisions stay.
"""

from typing import TYPE_CHECKING, Any

from agents.contamination import HeldOut, Lookup
from agents.kernels import Kernels
from agents.rules import findings, verdict
from schemas import Decided, Generated, Scored
from streams.curriculum import Curriculum, Phase
from streams.envelope import found
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.topics import SCORES

if TYPE_CHECKING:
    from streams.app import App


def decided(
    scored: Scored,
    generated: Generated,
    phase: Phase,
    kernels: dict[str, str],
    held_out: HeldOut,
) -> Decided:
    """The gate's decision on one score; every rule that failed is told."""
    rules = findings(generated, scored.score, phase.gate, kernels, held_out)
    said, rules = verdict(generated.id, rules, review_share=phase.gate.review_share)
    return sealed(
        Decided(
            **origin(scored),
            step="gate",
            generation=generated.id,
            phase=phase.name,
            policy=phase.policy,
            scorer=scored.scorer,
            score=scored.score,
            verdict=said,
            findings=rules,
        )
    )


class Gate:
    """Decides under the curriculum's policies, with what it looks up on the log."""

    def __init__(self, store: Store, curriculum: Curriculum) -> None:
        self._store = store
        self._curriculum = curriculum
        self._kernels = Kernels(store)
        self._held_out = Lookup(store, curriculum.held_out)

    def decide(self, scored: Scored) -> Decided | None:
        """The decision; none where no phase of now judges by this scorer."""
        phase = self._curriculum.phases.get(scored.phase)
        if phase is None or phase.gate.scorer != scored.scorer:
            return None
        by = f"Score {scored.id}"
        generated = found(self._store, scored.generation, Generated, by=by)
        kernels = self._kernels.named(generated.run)
        return decided(scored, generated, phase, kernels, self._held_out.of(generated.run))


def join(app: "App") -> None:
    """Decide every score that comes in."""
    from streams.work import work

    deciding = Gate(app.store, app.curriculum)

    async def handle(scored: Scored) -> list[Decided]:
        decision = await app.look_up(deciding.decide, scored)
        return [decision] if decision else []

    @app.agent(app.records_of(SCORES.name), name="gate")
    async def gate(stream: Any) -> None:
        await work(app, stream, Scored, handle, step="gate")
