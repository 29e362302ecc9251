"""Scoring as the agent does it, where Ctrl+C comes in between."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from itertools import count
from types import FrameType

import msgspec

from agents.score import scored, undisturbed
from agents.scorers import Score, Text, scorer
from tests.events import generated

LONG = generated(response="However, it depends on both of them and on the village. " * 40_000)


def test_a_score_broken_off_by_ctrl_c_is_given_again() -> None:
    tries = count()
    plain = scorer("lek@2")

    def broken_off_once(texts: Sequence[Text]) -> list[Score]:
        if next(tries) == 0:
            raise KeyboardInterrupt
        return plain.function(texts)

    by = msgspec.structs.replace(plain, function=broken_off_once)

    assert [each.id for each in undisturbed([LONG], by)] == [
        each.id for each in scored([LONG], plain)
    ]
    assert next(tries) == 2


def test_signals_while_polars_is_at_work_reach_the_handler_and_no_score_is_lost() -> None:
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGINT, handle)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        until = time.monotonic() + 0.5
        while not seen or time.monotonic() < until:
            assert len(undisturbed([LONG], scorer("lek@2"))) == 1
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]
