"""How many asks a server has at once follows from what it does; told by the server itself."""

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager

import pytest

from agents.models import Answer
from agents.models.concurrency import Limit, pause_of
from agents.models.openai import OpenAIModel
from agents.models.patience import Patience
from tests.lem import until
from tests.models import Asked, Reply, Server, asking, completion, served

QUICK = Patience(tries=9, first_wait_s=0.001, max_wait_s=0.002, timeout_s=60.0)
YES, BUSY = completion("Yes."), Reply({"error": "slow down"}, 429)


class Gate:
    """Lets asks out of a server, one by one or all."""

    def __init__(self) -> None:
        self._may_go = threading.Semaphore(0)

    def __call__(self, asked: Asked, at_once: int) -> Reply:
        assert self._may_go.acquire(timeout=60)
        return YES

    def let_go(self, count: int) -> None:
        self._may_go.release(count)


@contextmanager
def opened(
    server: Server, *, most: int = 32, patience: Patience = QUICK, name: str = "gemma"
) -> Iterator[OpenAIModel]:
    model = OpenAIModel(f"{server.url}#{name}", patience=patience, most=most)
    yield model
    model.close()


def has(server: Server, count: int) -> None:
    until(lambda: server.now == count)


def submitted(model: OpenAIModel, count: int) -> list[Future[Answer]]:
    return [model.submit(asking(seed=seed)) for seed in range(count)]


def test_as_many_answers_as_the_limit_allow_one_more() -> None:
    """Begun with four: after four answers five, after five more six, and never one too many."""
    gate = Gate()
    with served(gate) as server, opened(server) as model:
        asks = submitted(model, 40)
        for limit, answers in [(4, 4), (5, 5), (6, 6), (7, 25)]:
            has(server, limit)
            assert (model.room, server.most) == (limit, limit)
            gate.let_go(answers)
        wait(asks)

    assert [each.result().text for each in asks] == ["Yes."] * 40
    assert len(server.asked) == 40


def test_it_never_rises_above_the_most() -> None:
    with served(lambda *_: YES) as server, opened(server, most=5) as model:
        wait(submitted(model, 100))

        assert model.room == 5
    assert server.most <= 5


def test_asks_that_do_not_reach_the_limit_do_not_raise_it() -> None:
    with served(lambda *_: YES) as server, opened(server) as model:
        for seed in range(20):
            model.answer(asking(seed=seed))

        assert model.room == 4


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_server_that_is_asked_too_much_is_asked_half_as_much(status: int) -> None:
    """Four are refused together, which halves the limit once."""
    all_here, gate = threading.Barrier(4), Gate()

    def reply(asked: Asked, at_once: int) -> Reply:
        if len(server.asked) > 4:
            return gate(asked, at_once)
        all_here.wait(60)
        return BUSY._replace(status=status)

    with served(reply) as server, opened(server) as model:
        asks = submitted(model, 4)
        until(lambda: len(server.asked) == 6)
        assert (model.room, server.now) == (2, 2)
        gate.let_go(4)
        wait(asks)

    assert len(server.asked) == 8


def test_a_server_that_takes_too_long_is_asked_less() -> None:
    hasty = Patience(tries=2, first_wait_s=0, timeout_s=0.2)
    silence = Reply("", status=None)
    with served(lambda *_: silence) as server, opened(server, patience=hasty) as model:
        wait(submitted(model, 4))

        assert model.room == 1


def test_one_is_always_asked_and_raises_it_again() -> None:
    refusals = 16

    def reply(asked: Asked, at_once: int) -> Reply:
        return BUSY if len(server.asked) <= refusals else YES

    patience = Patience(tries=20, first_wait_s=0.001, max_wait_s=0.002)
    with served(reply) as server, opened(server, patience=patience) as model:
        asks = submitted(model, 1)
        until(lambda: len(server.asked) > refusals // 2)
        assert model.room == 1
        assert asks[0].result().text == "Yes."
        assert model.room == 2


def test_a_server_with_room_for_six_is_found_out() -> None:
    """The limit swings between what was too much and its half; every ask is answered."""
    refused = []

    def reply(asked: Asked, at_once: int) -> Reply:
        if at_once > 6:
            refused.append(at_once)
            return BUSY
        for _ in range(100):  # answers come when as many are here as may be, or nearly so
            if server.now >= model.room:
                break
            time.sleep(0.001)
        return YES

    with served(reply) as server, opened(server) as model:
        asks = submitted(model, 300)
        wait(asks)

        assert model.room < 16
    assert {each.result().text for each in asks} == {"Yes."}
    assert 1 <= len(refused) < 150
    assert 6 < server.most < 16
    assert len(server.asked) == 300 + len(refused)


def test_a_pause_holds_for_every_model_of_the_server() -> None:
    left_s = []

    def reply(asked: Asked, at_once: int) -> Reply:
        left_s.append(pause_of(server.url).left_s)
        return BUSY._replace(headers={"Retry-After": "0.5"}) if len(left_s) == 1 else YES

    with served(reply) as server, opened(server) as one, opened(server, name="other") as other:
        asks = [one.submit(asking())]
        until(lambda: pause_of(server.url).left_s > 0)
        asks += submitted(other, 3) + submitted(one, 3)
        wait(asks)

    assert [each.result().text for each in asks] == ["Yes."] * 7
    assert left_s == [0] * 8


def test_no_pause_outlives_its_models() -> None:
    pause_of("http://localhost/v1").begin(9000)
    gc.collect()

    assert pause_of("http://localhost/v1").left_s == 0


def test_what_was_sent_before_a_fall_counts_for_nothing() -> None:
    limit = Limit(32)
    limit.fall(0)
    for _ in range(9):
        limit.fall(0)
        limit.rise(0)

    assert (limit.now, limit.falls) == (2, 1)
