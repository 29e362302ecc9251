"""Whether events are on the log, asked for many at once."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.app import App


class Known:
    """Looks events up; what is asked for during one look-up goes into the next."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._wanted: dict[str, asyncio.Future[bool]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def has(self, event_id: str) -> bool:
        """Whether the log has the event."""
        if event_id not in self._wanted:
            self._wanted[event_id] = asyncio.get_running_loop().create_future()
        found = self._wanted[event_id]
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(found)  # another may wait for the same

    async def _look(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            try:
                known = await self._app.look_up(self._app.store.known, list(wanted))
            except Exception as error:
                for found in wanted.values():
                    found.set_exception(error)
            else:
                for event_id, found in wanted.items():
                    found.set_result(event_id in known)
