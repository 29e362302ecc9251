"""Events through two Faust agents on the embedded log: score, then gate."""

import asyncio
import tempfile
import time
from typing import Any

from schemas import Decided, Generated, Scored
from streams.app import App
from streams.config import Settings
from streams.envelope import draft
from streams.ids import sealed
from streams.log.store import EmbeddedStore
from streams.origin import origin
from streams.topics import TOPICS
from streams.work import work
from tests.bench import disk


def rate(events: int = 5000) -> dict[str, float]:
    """Generations per second from the log through two agents and back onto it."""
    with tempfile.TemporaryDirectory(dir=disk()) as home:
        return {"events_per_s": events / asyncio.run(_flow(Settings(home=home), events))}


async def _flow(settings: Settings, events: int) -> float:
    store = EmbeddedStore(settings.log_path)
    for topic in TOPICS:
        store.declare(topic, 1)
    store.append([draft(_generated(n)) for n in range(events)])
    app = App(settings)
    _join(app)
    await app.start()
    began = time.perf_counter()
    while store.end("decisions", 0) < events:  # noqa: ASYNC110  # another process would do the same
        await asyncio.sleep(0.01)
    took = time.perf_counter() - began
    await app.stop()
    app.close()
    store.close()
    return took


def _join(app: App) -> None:
    async def scored(generated: Generated) -> list[Scored]:
        return [_scored(generated)]

    async def decided(score: Scored) -> list[Decided]:
        return [_decided(score)]

    @app.agent(app.records_of("generations"), name="score")
    async def score(stream: Any) -> None:
        await work(app, stream, Generated, scored, step="score")

    @app.agent(app.records_of("scores"), name="gate")
    async def gate(stream: Any) -> None:
        await work(app, stream, Scored, decided, step="gate")


def _generated(number: int) -> Generated:
    return sealed(
        Generated(
            **origin(run="bench"),
            request=f"{number:032x}",
            phase="1",
            probe="P",
            original="P",
            prompt="prompt " * 60,
            model="canned:none",
            kernel=None,
            sample=0,
            response="answer " * 200,
            outcome="ok",
        )
    )


def _scored(generated: Generated) -> Scored:
    return sealed(
        Scored(
            **origin(generated),
            generation=generated.id,
            phase="1",
            scorer="lek@2",
            definition="none",
            score=1.0,
            signals={"nuance": 1.0},
        )
    )


def _decided(scored: Scored) -> Decided:
    return sealed(
        Decided(
            **origin(scored),
            step="gate",
            generation=scored.generation,
            phase="1",
            policy="none",
            scorer=scored.scorer,
            score=scored.score,
            verdict="accepted",
        )
    )
