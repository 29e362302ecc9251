"""The worker fails between any two writes, and a fresh one ends like one that never failed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from faust.tables.manager import TableManager

from schemas import Buried, Generated, Scored
from schemas.base import Fact
from streams.app import App, Handle, work
from streams.config import Settings
from streams.envelope import draft, event
from streams.errors import LemError, LogError
from streams.log.records import Draft
from streams.log.store import Store
from tests.events import decided, generated, probed, put, requested, scored

GENERATIONS = [generated(requested(probed(f"P{number}"))) for number in range(4)]
SCORES = [scored(generation) for generation in GENERATIONS]
DECISIONS = [decided(score) for score in SCORES]
DONE = {("generations", 0): 4, ("scores", 0): 4}
WRITES = len(SCORES) + len(DECISIONS) + 1  # and at least one commit


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit after every few records, and don't wait a second for tables that are not there."""

    async def brief(self: TableManager, _: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(TableManager, "sleep", brief)
    monkeypatch.setattr("streams.app._COMMIT_EVERY_S", 0.01)


async def score(generation: Generated) -> list[Fact]:
    return [scored(generation)]


async def decide(score: Scored) -> list[Fact]:
    return [decided(score)]


def join(app: App, scoring: Handle[Generated]) -> None:
    @app.agent(app.topic("generations"), name="score")
    async def scores(stream: Any) -> None:
        await work(app, stream, Generated, scoring, step="score")

    @app.agent(app.topic("scores"), name="gate")
    async def decisions(stream: Any) -> None:
        await work(app, stream, Scored, decide, step="gate")


@asynccontextmanager
async def running(settings: Settings, scoring: Handle[Generated] = score) -> AsyncIterator[App]:
    """A worker of two agents, until it is done or fails."""
    app = App(settings)
    join(app, scoring)
    try:
        async with asyncio.timeout(30):
            await app.start()
            while not (app.leaving.is_set() or app.should_stop or app.is_drained()):
                await asyncio.sleep(0.005)
        yield app
    finally:
        async with asyncio.timeout(30):
            await app.stop()
        app.close()


def events(store: Store, topic: str) -> list[Fact]:
    return [event(record) for record in store.scan(topic, 0)]


@pytest.fixture
def log(store: Store) -> Store:
    """The log with four generations, which nobody has scored."""
    put(store, *GENERATIONS)
    return store


async def test_a_worker_that_never_fails_does_everything_once(
    log: Store, settings: Settings
) -> None:
    async with running(settings) as app:
        pass

    assert (app.failure, app.crash_reason) == (None, None)
    assert events(log, "scores") == SCORES
    assert events(log, "decisions") == DECISIONS
    assert events(log, "dead-letters") == []
    assert log.committed("lem") == DONE


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make the n-th write of the worker fail, before it reaches the log or after."""

    def at(number: int, *, is_written: bool) -> pytest.MonkeyPatch:
        numbers, append = count(1), Store.append

        def appending(self: Store, drafts: Any, **fields: Any) -> Any:
            fails = threading.current_thread().name == "lem-log-writer" and next(numbers) == number
            if fails and not is_written:
                raise LogError("no room")
            places = append(self, drafts, **fields)
            if fails:
                raise LogError("no answer")
            return places

        # One draft in each write, so that the n-th is the same one every time.
        monkeypatch.setattr("streams.log.writer._MOST_AT_ONCE", 1)
        monkeypatch.setattr(Store, "append", appending)
        return monkeypatch

    yield at


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
async def test_x(log: Store, settings: Settings, number: int, is_written: bool, monkeypatch: pytest.MonkeyPatch, failing: Any) -> None:
    append = Store.append
    failing(number, is_written=is_written)
    async with running(settings) as app:
        reason = app.crash_reason
    print(number, reason, app.failure, app.crash_reason, log.ends(), log.committed("lem"))
    monkeypatch.setattr(Store, "append", append)
    async with running(settings) as app:
        pass
    assert (app.failure, app.crash_reason) == (None, None)
    assert events(log, "scores") == SCORES
    assert events(log, "decisions") == DECISIONS
    assert events(log, "dead-letters") == []
    assert log.committed("lem") == DONE
