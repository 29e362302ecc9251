"""Coroutines in a thread of their own, for those who have no event loop or must not fill theirs."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """An event loop in a thread; it ends with `close`, and at the latest with the process."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._door = threading.Lock()  # nothing may be begun behind the last
        self.is_closed = False
        self._thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin it, from whatever thread.

        Raises:
            RuntimeError: It is too late.
        """
        with self._door:
            if self.is_closed:
                coroutine.close()
                raise RuntimeError("nothing begins in a loop that was closed")
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, last: Callable[[], Awaitable[object]]) -> None:
        """Cancel all that is under way, wait for `last`, and end the thread."""
        with self._door:
            if self.is_closed:
                return
            self.is_closed = True
        asyncio.run_coroutine_threadsafe(_end(last), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _end(last: Callable[[], Awaitable[object]]) -> None:
    under_way = asyncio.all_tasks() - {asyncio.current_task()}
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    await last()
