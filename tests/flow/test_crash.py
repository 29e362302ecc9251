"""The worker fails between any two writes, and a fresh one ends like one that never failed."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any

import msgspec
import pytest
from faust.tables.manager import TableManager

from schemas import Buried, Generated, Scored
from schemas.base import Fact
from schemas.codec import encode
from streams.app import App
from streams.config import Settings
from streams.envelope import event
from streams.errors import LogError, ModelSilent
from streams.log.records import Draft, Place
from streams.log.store import EmbeddedStore
from streams.work import Handle, Wanted, work, work_together
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


def join(app: App, scoring: Handle[Generated], *, together: bool = False) -> None:
    async def joining(generation: Generated, _: Wanted) -> Iterable[Fact]:
        return await scoring(generation)

    @app.agent(app.records_of("generations"), name="score")
    async def scores(stream: Any) -> None:
        if together:
            await work_together(app, stream, Generated, joining, step="score")
        else:
            await work(app, stream, Generated, scoring, step="score")

    @app.agent(app.records_of("scores"), name="gate")
    async def decisions(stream: Any) -> None:
        await work(app, stream, Scored, decide, step="gate")


@asynccontextmanager
async def running(
    settings: Settings, scoring: Handle[Generated] = score, *, together: bool = False
) -> AsyncIterator[App]:
    """A worker of two agents, until it is done or fails."""
    app = App(settings)
    join(app, scoring, together=together)
    try:
        async with asyncio.timeout(30):
            await app.start()
            while not await _is_over(app):  # noqa: ASYNC110  # Faust has no event for it
                await asyncio.sleep(0.005)
        yield app
    finally:
        async with asyncio.timeout(30):
            await app.stop()
        app.close()


async def _is_over(app: App) -> bool:
    if app.leaving.is_set():
        return not app.busy
    return app.should_stop or await app.is_drained()


def events(store: EmbeddedStore, topic: str) -> list[Fact]:
    return [event(record) for record in store.scan(topic, 0)]


@pytest.fixture
def log(store: EmbeddedStore) -> EmbeddedStore:
    """The log with four generations, which nobody has scored."""
    put(store, *GENERATIONS)
    return store


async def test_a_worker_that_never_fails_does_everything_once(
    log: EmbeddedStore, settings: Settings
) -> None:
    async with running(settings) as app:
        pass

    assert (app.failure, app.crash_reason) == (None, None)
    assert events(log, "scores") == SCORES
    assert events(log, "decisions") == DECISIONS
    assert events(log, "dead-letters") == []
    assert log.committed("lem") == DONE


@contextmanager
def failing(number: int, *, is_written: bool) -> Iterator[None]:
    """Make the n-th write of the worker fail, before it reaches the log or after."""
    numbers, append = count(1), EmbeddedStore.append

    def appending(store: EmbeddedStore, drafts: Sequence[Draft], **fields: Any) -> list[Place]:
        is_fault = threading.current_thread().name == "lem-log-writer" and next(numbers) == number
        if is_fault and not is_written:
            raise LogError("no room")
        places = append(store, drafts, **fields)
        if is_fault:
            raise LogError("no answer")
        return places

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("streams.log.writer._MOST_AT_ONCE", 1)  # each record in its own write
        patched.setattr(EmbeddedStore, "append", appending)
        yield


@pytest.mark.parametrize("pause_s", [0, 0.02], ids=["at once", "with commits between"])
@pytest.mark.parametrize("is_written", [False, True], ids=["lost", "written"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
async def test_whichever_write_fails_a_fresh_worker_ends_like_one_that_never_failed(
    log: EmbeddedStore,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    number: int,
    is_written: bool,
    pause_s: float,
) -> None:
    async def slow(generation: Generated) -> list[Fact]:
        await asyncio.sleep(pause_s)
        return [scored(generation)]

    with failing(number, is_written=is_written):
        async with running(settings, slow) as app:
            assert isinstance(app.crash_reason, LogError)
        del app
        gc.collect()  # futures that nobody asked tell their error when they go
    async with running(settings) as app:
        pass

    assert "never retrieved" not in caplog.text
    assert (app.failure, app.crash_reason) == (None, None)
    assert events(log, "scores") == SCORES
    assert events(log, "decisions") == DECISIONS
    assert events(log, "dead-letters") == []
    assert log.committed("lem") == DONE


@pytest.mark.parametrize(
    "value",
    [b"", b"\x00\xffnot an event", b'{"type":"scord"}', encode(SCORES[0])],
    ids=["empty", "bytes", "type", "topic"],
)
async def test_a_record_that_cannot_be_read_is_buried_and_stops_nobody(
    store: EmbeddedStore, settings: Settings, value: bytes
) -> None:
    put(store, *GENERATIONS[:2])
    store.append([Draft("generations", value)])
    put(store, *GENERATIONS[2:])

    async with running(settings) as app:
        pass

    (letter,) = events(store, "dead-letters")
    assert isinstance(letter, Buried)
    assert (letter.topic, letter.partition, letter.offset) == ("generations", 0, 2)
    assert (letter.step, letter.value) == ("score", value)
    assert letter.error.startswith("generations[0]@2 is ")
    assert (app.failure, app.crash_reason) == (None, None)
    assert events(store, "scores") == SCORES
    assert store.committed("lem") == {("generations", 0): 5, ("scores", 0): 4}


async def test_a_record_that_makes_a_step_fail_is_buried_and_stops_nobody(
    log: EmbeddedStore, settings: Settings
) -> None:
    async def picky(generation: Generated) -> list[Fact]:
        if generation == GENERATIONS[1]:
            raise ValueError("not this one")
        return [scored(generation)]

    async with running(settings, picky) as app:
        pass

    (letter,) = events(log, "dead-letters")
    assert isinstance(letter, Buried)
    assert (letter.offset, letter.value) == (1, encode(GENERATIONS[1]))
    assert letter.error == "score failed: ValueError: not this one"
    assert app.failure is None
    assert events(log, "scores") == [SCORES[0], *SCORES[2:]]
    assert log.committed("lem") == {("generations", 0): 4, ("scores", 0): 3}


async def test_a_record_is_buried_once_however_often_it_is_read(
    store: EmbeddedStore, settings: Settings
) -> None:
    store.append([Draft("generations", b"?")])
    async with running(settings):
        pass
    store.commit("lem", {("generations", 0): 0})

    async with running(settings):
        pass

    assert len(events(store, "dead-letters")) == 1


async def test_an_event_that_cannot_be_written_is_buried_and_stops_nobody(
    log: EmbeddedStore, settings: Settings
) -> None:
    """A server may send half of a surrogate pair, which UTF-8 has no bytes for."""

    async def broken(generation: Generated) -> list[Fact]:
        score = scored(generation)
        is_broken = generation == GENERATIONS[1]
        return [msgspec.structs.replace(score, phase="\ud83d")] if is_broken else [score]

    async with running(settings, broken) as app:
        pass

    (letter,) = events(log, "dead-letters")
    assert isinstance(letter, Buried)
    assert letter.offset == 1
    assert app.failure is None
    assert events(log, "scores") == [SCORES[0], *SCORES[2:]]


@pytest.mark.parametrize("offset", range(4))
async def test_an_error_that_a_person_can_mend_stops_the_worker_and_loses_nothing(
    log: EmbeddedStore, settings: Settings, offset: int
) -> None:
    error = ModelSilent("the model gave no answer")

    async def silent(generation: Generated) -> list[Fact]:
        if generation == GENERATIONS[offset]:
            raise error
        return [scored(generation)]

    async with running(settings, silent) as app:
        assert app.failure is error
        assert app.leaving.is_set()
    stopped_at = log.committed("lem").get(("generations", 0), 0)
    scored_by_then = events(log, "scores")
    async with running(settings) as app:
        assert app.failure is None

    assert stopped_at <= offset
    assert scored_by_then == SCORES[:offset]
    assert events(log, "scores") == SCORES
    assert events(log, "decisions") == DECISIONS
    assert events(log, "dead-letters") == []
    assert log.committed("lem") == DONE


async def test_the_first_error_is_the_one_that_is_told(settings: Settings) -> None:
    app = App(settings)
    first, second = LogError("first"), LogError("second")

    app.fail(first)
    app.fail(second)

    app.close()
    assert app.failure is first
