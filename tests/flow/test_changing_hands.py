"""Records under way when partitions change hands: they come again, or belong to another worker."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from schemas import Generated
from schemas.base import Fact
from streams.app import App
from streams.config import Settings
from streams.envelope import draft
from streams.log.store import EmbeddedStore
from streams.work import Wanted, work_together
from tests.events import generated, probed, requested, scored
from tests.lem import becomes

GENERATIONS = [generated(requested(probed(f"P{number}"))) for number in range(3)]
HERE = TP("generations", 0)


class Stream:
    """Records as Faust hands them over, for the `generation`-th time of a partition."""

    def __init__(self) -> None:
        self.enable_acks = True
        self.acknowledged: list[tuple[int, int]] = []
        self._events = asyncio.Queue[Any]()

    def give(self, offset: int, *, generation: int = 1) -> None:
        found = draft(GENERATIONS[offset])
        message = SimpleNamespace(
            topic=HERE.topic,
            partition=HERE.partition,
            tp=HERE,
            offset=offset,
            generation_id=generation,
            key=found.key,
            value=found.value,
        )
        spot = (generation, offset)
        ack = lambda: self.acknowledged.append(spot)  # noqa: E731  # it is an attribute
        self._events.put_nowait(SimpleNamespace(message=message, ack=ack))

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield await self._events.get()


class Scoring:
    """Scores when it is let, and asks then whether it still should."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.begun: list[Generated] = []
        self.saw: list[bool] = []
        """For each that was begun: whether the log had its score then."""
        self.go = asyncio.Event()

    async def __call__(self, generation: Generated, wanted: Wanted) -> list[Fact]:
        self.begun.append(generation)
        score = scored(generation)
        self.saw.append(bool(self._app.store.known([score.id])))
        await self.go.wait()
        if not wanted():
            raise asyncio.CancelledError
        return [score]


@pytest.fixture
async def app(store: EmbeddedStore, settings: Settings) -> AsyncIterator[App]:
    """A worker without agents; it has no partition."""
    found = App(settings)
    await found.start()
    found.consumer_generation_id = 1
    yield found
    await found.stop()
    found.close()


def at_work(app: App, stream: Stream, scoring: Scoring) -> "asyncio.Task[None]":
    working = work_together(app, stream, Generated, scoring, step="score")
    return asyncio.create_task(working)


async def test_a_record_that_comes_again_waits_until_it_is_on_the_log(app: App) -> None:
    stream, scoring = Stream(), Scoring(app)
    work = at_work(app, stream, scoring)
    stream.give(0)
    await becomes(lambda: len(scoring.begun) == 1)

    stream.give(0)
    stream.give(1)
    await becomes(lambda: len(scoring.begun) == 2)
    assert scoring.begun == GENERATIONS[:2]
    scoring.go.set()
    await becomes(lambda: len(stream.acknowledged) == 3)

    assert scoring.begun == [*GENERATIONS[:2], GENERATIONS[0]]
    assert scoring.saw == [False, False, True]
    assert app.store.records("scores") == 2
    work.cancel()


async def test_what_went_to_another_worker_is_not_begun_and_comes_anew_when_it_is_back(
    app: App,
) -> None:
    stream, scoring = Stream(), Scoring(app)
    work = at_work(app, stream, scoring)
    for offset in range(2):
        stream.give(offset)
    await becomes(lambda: len(scoring.begun) == 2)

    app.consumer_generation_id = 2
    for offset in range(3):
        stream.give(offset, generation=2)
    await becomes(lambda: len(scoring.begun) == 3)
    scoring.go.set()
    await becomes(lambda: len(stream.acknowledged) == 3)

    assert stream.acknowledged == [(2, 0), (2, 1), (2, 2)]
    assert app.store.records("scores") == 3
    assert app.busy == 0
    work.cancel()


async def test_what_went_to_another_worker_takes_no_room(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.work._MOST_BEGUN", 2)
    stream, scoring = Stream(), Scoring(app)
    work = at_work(app, stream, scoring)
    for offset in range(2):
        stream.give(offset)
    await becomes(lambda: len(scoring.begun) == 2)

    app.consumer_generation_id = 2
    stream.give(2, generation=2)
    scoring.go.set()
    await becomes(lambda: stream.acknowledged == [(2, 2)])

    assert app.store.records("scores") == 1
    work.cancel()
