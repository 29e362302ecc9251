"""The worker's progress, live in a terminal; elsewhere nothing, since `lem status` tells it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.cli.shown import console, progress
from streams.topics import GENERATIONS, REQUESTS

if TYPE_CHECKING:
    from streams.app import App
    from streams.log.door import Store

_EVERY_S = 5.0
_REST = 20  # times as long as the figures took: they cost a twentieth of a core at most

_log = logging.getLogger(__name__)


@contextmanager
def watched(app: "App") -> Iterator[Callable[[], Awaitable[None]]]:
    """Yield what is to be awaited again and again while the worker runs."""
    if not console(stderr=True).is_terminal:
        yield _nothing
        return
    figures = _Figures(app)
    keeping = asyncio.create_task(figures.keep())
    try:
        with progress("answers", below=lambda: figures.text) as bar:

            async def look() -> None:
                asked, answered = await app.look_up(_counts, app.store)
                bar.update(bar.task_ids[0], total=asked, completed=answered)

            yield look
    finally:
        keeping.cancel()


async def _nothing() -> None:
    """Show nothing."""


class _Figures:
    """What `lem status` would say of the pace, computed beside the worker."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self.text = ""

    async def keep(self) -> None:
        """Compute it anew, again and again."""
        took_s = 0.0
        while True:
            await asyncio.sleep(max(_EVERY_S, _REST * took_s))
            began = time.monotonic()
            try:
                self.text = await asyncio.to_thread(_said, self._app)
            except Exception:  # what is only to look at stops nobody
                _log.info("the figures failed", exc_info=True)
            took_s = time.monotonic() - began


def _said(app: "App") -> str:
    """A line for each run that is at work, and for its phase."""
    from streams import replay
    from streams.cli import figures
    from streams.connect import connected

    policies = replay.policies(app.curriculum)
    store = connected(app.settings)
    try:
        with replay.opened(store, app.settings.home_path, policies) as views:
            found = [run for run in figures.runs(views) if run["left_s"]]
            phases = figures.phases(views, app.curriculum, found)
    finally:
        store.close()
    return "\n".join([*map(figures.pace, found), *map(figures.size, phases)])


def _counts(store: "Store") -> tuple[int, int]:
    """How many requests there are, and how many answers."""
    return store.records(REQUESTS.name), store.records(GENERATIONS.name)
