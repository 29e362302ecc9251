"""How many asks a server has at once: more while it keeps up, half as many when it does not.

The limit is that of one model on one server. A pause that a server asks for holds for all that is
asked of it, whichever of its models is meant.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from weakref import WeakValueDictionary

MOST = 32
"""Asks that a server has at once, unless it is set."""

_FIRST = 4  # few servers, however small, refuse to queue so many


class Limit:
    """Rises by one when as many asks went well as it allows, and falls to its half.

    Asks carry the number of falls from when they were sent, so that many that were too much
    together count as one fall, and those that went well before it count for nothing.
    """

    def __init__(self, most: int) -> None:
        self.now = min(_FIRST, most)
        """How many asks may be under way."""
        self.falls = 0
        self._most = most
        self._well = 0

    def rise(self, falls: int) -> None:
        """An ask went well while as many were under way as may be."""
        if falls != self.falls or self.now >= self._most:
            return
        self._well += 1
        if self._well >= self.now:
            self.now += 1
            self._well = 0

    def fall(self, falls: int) -> None:
        """An ask was too much."""
        if falls == self.falls:
            self.now = max(1, self.now // 2)
            self.falls += 1
            self._well = 0


class Pause:
    """Until when a server wants to be left alone."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self, seconds: float) -> None:
        """Leave it alone for so long; a longer pause that was begun before goes on."""
        self._until = max(self._until, time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        """How long still."""
        return max(0.0, self._until - time.monotonic())

    async def over(self) -> None:
        """Wait for its end."""
        while left_s := self.left_s:  # noqa: ASYNC110  # it may grow meanwhile
            await asyncio.sleep(left_s)


_pauses: WeakValueDictionary[str, Pause] = WeakValueDictionary()
_door = threading.Lock()


def pause_of(server: str) -> Pause:
    """The one pause of a server, as long as somebody holds on to it."""
    with _door:
        return _pauses.setdefault(server, Pause())


class Sent(NamedTuple):
    """An ask that was let through."""

    number: int
    falls: int
    """How often the limit had fallen by then."""


class Slots:
    """Lets as many asks through as the limit allows, and none during a pause.

    Belongs to one event loop; only `room` may be read from elsewhere.
    """

    def __init__(self, most: int, pause: Pause) -> None:
        self.pause = pause
        self._limit = Limit(most)
        self._taken = 0
        self._sent = self._full = 0  # the number of the last ask, and of the last that filled it
        self._freed = asyncio.Event()

    @property
    def room(self) -> int:
        """How many asks may be under way."""
        return self._limit.now

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Sent]:
        """Wait for a slot and its turn, and keep the slot."""
        while self._taken >= self._limit.now:
            await self._freed.wait()
        self._taken += 1
        try:
            await self.pause.over()
            yield self._next()
        finally:
            self._taken -= 1
            self._freed.set()
            self._freed = asyncio.Event()

    def went_well(self, sent: Sent) -> None:
        """Learn from an ask; where the limit was not reached beside it, it says nothing."""
        if self._full >= sent.number:
            self._limit.rise(sent.falls)

    def was_too_much(self, sent: Sent) -> None:
        """Learn from an ask for which the server had no room."""
        self._limit.fall(sent.falls)

    def _next(self) -> Sent:
        self._sent += 1
        if self._taken >= self._limit.now:
            self._full = self._sent
        return Sent(self._sent, self._limit.falls)
