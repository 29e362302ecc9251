"""Score: each generation gets the score of the scorer that its phase's gate names."""

from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from agents.scorers import Score, Scorer, Text, scorer
from schemas import Generated, Scored
from streams.ids import sealed
from streams.origin import Origin, origin
from streams.topics import GENERATIONS

if TYPE_CHECKING:
    from streams.app import App


def scored(generations: Sequence[Generated], by: Scorer) -> list[Scored]:
    """The scores of generations; a failed one is scored too, its outcome tells them apart."""
    found = by.function([Text(each.response, each.prompt) for each in generations])
    together = zip(generations, found, strict=True)
    return [told(each.id, each.phase, one, by, origin(each)) for each, one in together]


def undisturbed(generations: Sequence[Generated], by: Scorer) -> list[Scored]:
    """The scores, also where Ctrl+C comes in between, for who takes the signal by a handler.

    Polars raises by itself, wherever it is called, when one comes while it is at work. Raised in an
    agent, that would break off what all the others are at.
    """
    try:
        return scored(generations, by)
    except KeyboardInterrupt:
        return scored(generations, by)


def told(generation: str, phase: str, found: Score, by: Scorer, whence: Origin) -> Scored:
    """What a scorer found, as the event of a generation.

    Raises:
        ValueError: It is no number that JSON can hold.
    """
    if not isfinite(found.score):
        raise ValueError(f"{by.label} gave the score {found.score}, which JSON can't hold")
    return sealed(
        Scored(
            **whence,
            generation=generation,
            phase=phase,
            scorer=by.label,
            definition=by.definition,
            score=found.score,
            signals=found.signals,
        )
    )


def join(app: "App") -> None:
    """Score every generation that comes in; a phase that is no longer there names no scorer."""
    from streams.work import work

    named = cache(scorer)  # it reads the settings each time

    async def handle(generated: Generated) -> list[Scored]:
        phase = app.curriculum.phases.get(generated.phase)
        return undisturbed([generated], named(phase.gate.scorer)) if phase else []

    @app.agent(app.records_of(GENERATIONS.name), name="score")
    async def score(stream: Any) -> None:
        await work(app, stream, Generated, handle, step="score")
