"""Rephrase: each original probe is put in three other ways."""

from typing import TYPE_CHECKING, Any

from agents.rephrasings import rephrasings
from schemas import Probed
from streams.ids import sealed
from streams.origin import origin
from streams.topics import PROBES

if TYPE_CHECKING:
    from streams.app import App


def rephrased(probed: Probed) -> list[Probed]:
    """The rephrasings of an original; none of a rephrasing."""
    if probed.rephrasing_of:
        return []
    return [
        sealed(
            Probed(
                **origin(probed),
                probe=probe,
                prompt=prompt,
                domain=probed.domain,
                set=probed.set,
                language=probed.language,
                rephrasing_of=probed.probe,
                kind=kind,
                region=probed.region,
            )
        )
        for kind, probe, prompt in rephrasings(probed.probe, probed.prompt)
    ]


def join(app: "App") -> None:
    """Rephrase the probes that come in, of the sets that a phase wants rephrased.

    History may bring in many others.
    """
    from streams.work import work

    every = app.curriculum.phases.values()
    phases = [each for each in every if each.rephrasings or each.rephrasings_per_example]

    async def handle(probed: Probed) -> list[Probed]:
        is_wanted = any(phase.asks(probed.set) for phase in phases)
        return rephrased(probed) if is_wanted else []

    @app.agent(app.records_of(PROBES.name), name="rephrase")
    async def rephrase(stream: Any) -> None:
        await work(app, stream, Probed, handle, step="rephrase")
