"""The worker's progress: a live line in a terminal, a plain line now and then in a file."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from streams.cli.shown import console, progress
from streams.topics import GENERATIONS, REQUESTS

if TYPE_CHECKING:
    from streams.app import App

_PLAIN_EVERY_S = 10.0


@contextmanager
def watched(app: "App") -> Iterator[Callable[[], None]]:
    """Yield what is to be called again and again while the worker runs."""
    if console(stderr=True).is_terminal:
        with progress("answers", total=None) as bar:
            task = bar.task_ids[0]
            yield lambda: bar.update(task, total=_asked(app), completed=_answered(app))
    else:
        yield _Plain(app).look


class _Plain:
    """A line on stderr every ten seconds, and none when nothing moves."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._began = self._told_at = time.monotonic()
        self._first = self._last = _answered(app)

    def look(self) -> None:
        now, answered = time.monotonic(), _answered(self._app)
        if now - self._told_at < _PLAIN_EVERY_S or answered == self._last:
            return
        asked = _asked(self._app)
        rate = (answered - self._first) / (now - self._began)
        left_s = round((asked - answered) / rate) if rate else None
        left = f", {timedelta(seconds=left_s)} left" if left_s is not None else ""
        print(f"{answered:,} of {asked:,} answers, {rate:.1f}/s{left}", file=sys.stderr)
        self._told_at, self._last = now, answered


def _asked(app: "App") -> int:
    return app.store.records(REQUESTS.name)


def _answered(app: "App") -> int:
    return app.store.records(GENERATIONS.name)
