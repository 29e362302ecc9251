"""Requests to their answers, many at once: each asked once, each on the log when it is there."""

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from agents import generate
from agents.models.tiny import build
from schemas import Generated
from streams.app import App
from streams.config import Settings
from streams.errors import ModelSilent
from streams.log.store import EmbeddedStore
from tests.events import probed, put, requested, started
from tests.flow.test_crash import events
from tests.lem import becomes, command, environment, lem, rows, until
from tests.lem import events as on_log
from tests.models import Slow, completion, scripted

ONE = {"LEM_CONCURRENCY": "1"}
PROMPTS = [f"What is owed to {number}?" for number in range(8)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def brief(*_: object) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("faust.tables.manager.TableManager.sleep", brief)
    monkeypatch.setattr("streams.app._COMMIT_EVERY_S", 0.01)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The model that every URL opens."""
    found = Slow(room=4)
    monkeypatch.setattr(generate, "opener", lambda *_: lambda _: found)
    return found


@pytest.fixture
def log(store: EmbeddedStore) -> EmbeddedStore:
    """The log with eight requests of one run."""
    asked = [requested(probed(f"P{n}", prompt)) for n, prompt in enumerate(PROMPTS)]
    put(store, started(), *asked)
    return store


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[App]:
    """A worker that generates, stopped as Ctrl+C does when the block ends."""
    app = App(settings)
    generate.join(app)
    try:
        await app.start()
        yield app
        app.leaving.set()
        await becomes(lambda: not app.busy)
        await app.consumer.commit()
    finally:
        await app.stop()
        app.close()


async def asked_for(model: Slow, count: int) -> None:
    await becomes(lambda: len(model.asked) >= count)


async def answered(log: EmbeddedStore, count: int) -> list[Generated]:
    await becomes(lambda: log.records("generations") >= count)
    return [fact for fact in events(log, "generations") if isinstance(fact, Generated)]


async def test_an_answer_is_on_the_log_while_the_one_before_it_is_still_written(
    log: EmbeddedStore, settings: Settings, model: Slow
) -> None:
    async with working(settings):
        await asked_for(model, 4)
        assert [ask.prompt for ask in model.asked] == PROMPTS[:4]
        assert log.committed("lem").get(("requests", 0), 0) == 0

        for number in (3, 1, 2):
            model.tell(PROMPTS[number])
            found = await answered(log, log.records("generations") + 1)
            assert found[-1].prompt == PROMPTS[number]
        await asked_for(model, 7)
        assert log.committed("lem").get(("requests", 0), 0) == 0
        model.tell_all()
        await asked_for(model, 8)
        model.tell(PROMPTS[7])

    assert log.committed("lem")["requests", 0] == 8


async def test_after_a_clean_stop_nothing_is_asked_twice(
    log: EmbeddedStore, settings: Settings, model: Slow
) -> None:
    """The second of four is answered; then it is stopped, and the other three are waited for."""
    async with working(settings) as app:
        await asked_for(model, 4)
        model.tell(PROMPTS[1])
        await asked_for(model, 5)
        app.leaving.set()
        await becomes(lambda: app.busy == 4)  # what waited for room is let go of
        model.tell_all()
    assert len(events(log, "generations")) == len(model.asked) == 5
    assert log.committed("lem")["requests", 0] == 5

    async with working(settings):
        await asked_for(model, 8)
        model.tell_all()
        await answered(log, 8)

    assert sorted(ask.prompt for ask in model.asked) == PROMPTS


async def test_broken_off_only_what_was_being_written_is_asked_again(
    log: EmbeddedStore, settings: Settings, model: Slow
) -> None:
    app = App(settings)
    generate.join(app)
    await app.start()
    await asked_for(model, 4)
    model.tell(PROMPTS[3])
    await asked_for(model, 5)
    await answered(log, 1)
    await app.stop()
    app.close()
    again = Slow(room=8)
    again.asked = model.asked

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(generate, "opener", lambda *_: lambda _: again)
        async with working(settings):
            await asked_for(again, 5 + 7)
            again.tell_all()
            found = await answered(log, 8)

    assert sorted(each.prompt for each in found) == PROMPTS
    asked = [ask.prompt for ask in again.asked]
    assert sorted(prompt for prompt in PROMPTS if asked.count(prompt) == 2) == [
        *PROMPTS[:3],
        PROMPTS[4],
    ]


async def test_a_request_that_fails_is_an_error_event_and_the_others_are_answered(
    log: EmbeddedStore, settings: Settings, model: Slow
) -> None:
    async with working(settings):
        await asked_for(model, 4)
        model.open.pop(PROMPTS[2]).set_exception(ModelSilent("It says nothing."))
        model.tell_all()
        await asked_for(model, 8)
        model.tell_all()
        found = await answered(log, 8)

    outcomes = {each.prompt: (each.outcome, each.error) for each in found}
    assert outcomes.pop(PROMPTS[2]) == ("error", "It says nothing.")
    assert set(outcomes.values()) == {("ok", None)}


async def test_what_an_answer_tells_stands_in_its_generation(
    log: EmbeddedStore, settings: Settings, model: Slow
) -> None:
    async with working(settings):
        await asked_for(model, 4)
        told: dict[str, Any] = {"reasoning": "Hm.", "saved_tokens": 7, "cost": 0.25}
        model.tell(PROMPTS[0], "Much.", **told)
        (found,) = await answered(log, 1)
        model.tell_all()
        await asked_for(model, 8)
        model.tell_all()

    assert (found.response, found.outcome) == ("Much.", "ok")
    assert {name: getattr(found, name) for name in told} == told


@contextmanager
def servers(count: int) -> Iterator[tuple[list[str], list[list[Any]]]]:
    """Models behind servers that take half a second; what each was asked."""
    with ExitStack() as stack:
        found = [
            stack.enter_context(scripted(completion("However, it depends."), delay_s=0.5))
            for _ in range(count)
        ]
        yield [f"openai:{url}#m" for url, _ in found], [asked for _, asked in found]


def test_ctrl_c_waits_for_what_was_asked_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with servers(4) as (urls, asked):
        lem(home, "seed")
        for url in urls:
            lem(home, "distill", "--phase", "demo", "--model", url, "--limit", "12")
        worker = subprocess.Popen(
            command("run"), env=environment(home, ONE), stdout=subprocess.PIPE, text=True
        )
        until(lambda: min(map(len, asked)) >= 2)
        worker.send_signal(signal.SIGINT)
        said, _ = worker.communicate(timeout=30)
        done = len(on_log(home, "generations"))
        assert worker.returncode == 130
        assert "Ctrl+C again" in said
        assert done == sum(map(len, asked)) < 48

        lem(home, "run", "--until-idle")

        bodies = [json.dumps(each.body) for server in asked for each in server]
        assert len(bodies) == len(on_log(home, "generations")) == 48
    lem(home, "log", "verify")


def test_a_terminal_shows_pace_and_time_left_and_a_pipe_shows_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with servers(1) as (urls, _):
        lem(home, "seed")
        lem(home, "distill", "--phase", "demo", "--model", urls[0], "--limit", "24")
        screen, end = pty.openpty()
        worker = subprocess.Popen(
            command("run", "--until-idle"),
            env=environment(home, {**ONE, "COLUMNS": "150", "TERM": "xterm"}),
            stdout=subprocess.DEVNULL,
            stderr=end,
        )
        os.close(end)
        shown = re.sub(r"\x1b\[[\d;?]*\w", "", "".join(_said(screen)))
        assert worker.wait(timeout=60) == 0
        lem(home, "distill", "--phase", "demo", "--model", urls[0], "--limit", "2")
        piped = lem(home, "run", "--until-idle")

    assert re.search(r"answers .* \d+/24 .*left", shown)
    assert re.search(r"[\d.]+ answers/s, \d+ tokens/s, .*\d+ rows/hour", shown)
    assert re.search(r"phase demo: \d+ of \d+ rows", shown)
    assert piped.stderr == ""


def _said(screen: int) -> Iterator[str]:
    """What a terminal was told, until nobody writes to it any more."""
    with os.fdopen(screen, errors="replace") as reading, suppress(OSError):
        while said := reading.read(1):
            yield said


def test_killed_in_the_middle_of_a_batch_every_request_has_one_answer(tmp_path: Path) -> None:
    """A real model, many rows at once; kill -9 while it writes."""
    home, model = tmp_path / "home", f"mlx:{build(tmp_path / 'tiny')}"
    lem(home, "seed")
    lem(home, "distill", "--phase", "demo", "--model", model, "--limit", "100")
    store = EmbeddedStore(home / "log.db")
    for enough in (1, 20, 40):
        worker = subprocess.Popen(
            command("run", "--until-idle"), env=environment(home), stdout=subprocess.DEVNULL
        )
        until(lambda: store.records("generations") >= enough)  # noqa: B023  # called at once
        worker.kill()
        assert worker.wait() == -signal.SIGKILL
        assert store.records("generations") < 100
    store.close()

    lem(home, "run", "--until-idle")

    query = "select request, count(*) as n from generations group by request"
    found = rows(lem(home, "sql", query, "--json"))
    assert [row["n"] for row in found] == [1] * 100
    lem(home, "log", "verify")
