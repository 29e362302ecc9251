"""The worker's progress: a live line in a terminal, a plain line now and then in a file."""

import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from streams.cli.shown import console, progress
from streams.topics import GENERATIONS, REQUESTS

if TYPE_CHECKING:
    from streams.app import App
    from streams.log.door import Store

_PLAIN_EVERY_S = 10.0


@contextmanager
def watched(app: "App") -> Iterator[Callable[[], Awaitable[None]]]:
    """Yield what is to be awaited again and again while the worker runs."""
    if console(stderr=True).is_terminal:
        with progress("answers", total=None) as bar:

            async def look() -> None:
                asked, answered = await app.look_up(_counts, app.store)
                bar.update(bar.task_ids[0], total=asked, completed=answered)

            yield look
    else:
        yield _Plain(app).look


class _Plain:
    """A line on stderr every ten seconds, and none when nothing moves."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._began = self._told_at = time.monotonic()
        self._first = self._last = -1

    async def look(self) -> None:
        now = time.monotonic()
        if self._first >= 0 and now - self._told_at < _PLAIN_EVERY_S:
            return
        asked, answered = await self._app.look_up(_counts, self._app.store)
        if self._first < 0:
            self._first = self._last = answered
        if answered == self._last:
            return
        rate = (answered - self._first) / (now - self._began)
        left_s = round((asked - answered) / rate) if rate else None
        left = f", {timedelta(seconds=left_s)} left" if left_s is not None else ""
        print(f"{answered:,} of {asked:,} answers, {rate:.1f}/s{left}", file=sys.stderr)
        self._told_at, self._last = now, answered


def _counts(store: "Store") -> tuple[int, int]:
    """How many requests there are, and how many answers."""
    return store.records(REQUESTS.name), store.records(GENERATIONS.name)
