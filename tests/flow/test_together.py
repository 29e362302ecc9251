"""Many records under way: each told when it is done, acknowledged in order, and none lost."""

import asyncio
import random

import pytest

from schemas import Buried, Generated
from schemas.base import Fact
from schemas.codec import encode
from streams.app import App
from streams.config import Settings
from streams.errors import LogError, ModelSilent
from streams.log.store import EmbeddedStore
from tests.events import decided, generated, probed, put, requested, scored
from tests.flow.test_crash import WRITES, events, failing, join, running
from tests.lem import becomes

GENERATIONS = [generated(requested(probed(f"P{number}"))) for number in range(12)]
SCORES = [scored(generation) for generation in GENERATIONS]
DECISIONS = [decided(score) for score in SCORES]
DONE = {("generations", 0): 12, ("scores", 0): 12}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def brief(*_: object) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("faust.tables.manager.TableManager.sleep", brief)
    monkeypatch.setattr("streams.app._COMMIT_EVERY_S", 0.01)


@pytest.fixture
def log(store: EmbeddedStore) -> EmbeddedStore:
    """The log with twelve generations, which nobody has scored."""
    put(store, *GENERATIONS)
    return store


def ids(found: list[Fact]) -> list[str]:
    return sorted(fact.id for fact in found)


def is_all_done(log: EmbeddedStore) -> bool:
    """Every score and decision once, nothing buried, everything acknowledged."""
    return (
        ids(events(log, "scores")) == ids([*SCORES])
        and ids(events(log, "decisions")) == ids([*DECISIONS])
        and events(log, "dead-letters") == []
        and log.committed("lem") == DONE
    )


async def test_a_slow_one_holds_back_no_other_and_nothing_behind_it_is_acknowledged(
    log: EmbeddedStore, settings: Settings
) -> None:
    patient = asyncio.Event()

    async def scoring(generation: Generated) -> list[Fact]:
        if generation == GENERATIONS[2]:
            await patient.wait()
        return [scored(generation)]

    async def let_go() -> tuple[int, int]:
        await becomes(lambda: log.records("scores") >= 11)
        await asyncio.sleep(0.1)  # some commits
        at_most = log.committed("lem").get(("generations", 0), 0)
        patient.set()
        return at_most, log.records("scores")

    watching = asyncio.create_task(let_go())
    async with running(settings, scoring, together=True):
        pass

    assert await watching == (2, 11)
    assert is_all_done(log)


@pytest.mark.parametrize("seed", range(8))
async def test_whenever_it_is_broken_off_a_fresh_worker_does_the_rest_once(
    log: EmbeddedStore, settings: Settings, seed: int
) -> None:
    """Records end in any order; the worker is stopped, without waiting, after some of them."""
    chance, told = random.Random(seed), list[str]()

    async def scoring(generation: Generated) -> list[Fact]:
        await asyncio.sleep(chance.random() * 0.05)
        told.append(generation.id)
        return [scored(generation)]

    app = App(settings)
    join(app, scoring, together=True)
    await app.start()
    enough = chance.randrange(1, 10)
    await becomes(lambda: log.records("scores") >= enough)
    await app.stop()
    app.close()
    done = log.committed("lem").get(("generations", 0), 0)

    assert {generation.id for generation in GENERATIONS[:done]} <= set(told)
    async with running(settings, scoring, together=True) as second:
        assert second.failure is None
    assert is_all_done(log)


@pytest.mark.parametrize("is_written", [False, True], ids=["lost", "written"])
@pytest.mark.parametrize("number", range(1, WRITES + 1, 2))
async def test_whichever_write_fails_nothing_is_lost_or_told_twice(
    log: EmbeddedStore, settings: Settings, number: int, is_written: bool
) -> None:
    async def scoring(generation: Generated) -> list[Fact]:
        await asyncio.sleep(0.01 * (GENERATIONS.index(generation) % 3))
        return [scored(generation)]

    with failing(number, is_written=is_written):
        async with running(settings, scoring, together=True) as app:
            assert isinstance(app.crash_reason, LogError)
    async with running(settings, scoring, together=True):
        pass

    assert is_all_done(log)


async def test_one_that_fails_is_buried_and_the_others_go_on(
    log: EmbeddedStore, settings: Settings
) -> None:
    async def picky(generation: Generated) -> list[Fact]:
        await asyncio.sleep(0.01)
        if generation == GENERATIONS[5]:
            raise ValueError("not this one")
        return [scored(generation)]

    async with running(settings, picky, together=True) as app:
        assert app.failure is None

    (letter,) = events(log, "dead-letters")
    assert isinstance(letter, Buried)
    assert (letter.offset, letter.value) == (5, encode(GENERATIONS[5]))
    assert ids(events(log, "scores")) == ids([*SCORES[:5], *SCORES[6:]])
    assert log.committed("lem")["generations", 0] == 12


async def test_what_a_person_can_mend_stops_the_worker_and_loses_nothing(
    log: EmbeddedStore, settings: Settings
) -> None:
    error = ModelSilent("the model gave no answer")

    async def silent(generation: Generated) -> list[Fact]:
        if generation == GENERATIONS[5]:
            await asyncio.sleep(0.05)
            raise error
        return [scored(generation)]

    async with running(settings, silent, together=True) as app:
        assert app.failure is error
    stopped_at = log.committed("lem").get(("generations", 0), 0)
    async with running(settings, together=True):
        pass

    assert stopped_at <= 5
    assert is_all_done(log)


async def test_so_many_are_begun_and_no_more(
    log: EmbeddedStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a slow one, what is done counts too: it waits for its acknowledgement."""
    monkeypatch.setattr("streams.work._MOST_BEGUN", 3)
    begun, patient = list[Generated](), asyncio.Event()

    async def scoring(generation: Generated) -> list[Fact]:
        begun.append(generation)
        if generation == GENERATIONS[0]:
            await patient.wait()
        return [scored(generation)]

    async def let_go() -> list[Generated]:
        await becomes(lambda: log.records("scores") >= 2)
        await asyncio.sleep(0.1)
        before = list(begun)
        patient.set()
        return before

    watching = asyncio.create_task(let_go())
    async with running(settings, scoring, together=True):
        pass

    assert await watching == GENERATIONS[:3]
    assert begun == GENERATIONS
    assert is_all_done(log)


async def test_a_clean_stop_leaves_what_was_not_begun_and_finishes_the_rest(
    log: EmbeddedStore, settings: Settings
) -> None:
    begun = list[Generated]()

    async def scoring(generation: Generated) -> list[Fact]:
        if len(begun) == 4:  # held back for want of room, until the worker leaves
            await app.leaving.wait()
            raise asyncio.CancelledError
        begun.append(generation)
        await asyncio.sleep(0.1)
        app.leaving.set()
        return [scored(generation)]

    app = App(settings)
    join(app, scoring, together=True)
    await app.start()
    await becomes(lambda: app.leaving.is_set() and not app.busy)
    await app.consumer.commit()
    await app.stop()
    app.close()

    assert begun == GENERATIONS[:4]
    assert ids(events(log, "scores")) == ids([*SCORES[:4]])
    assert log.committed("lem")["generations", 0] == 4
