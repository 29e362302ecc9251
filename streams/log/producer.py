"""A Faust producer over the embedded log: appends go to the writer's thread, and are durable there.

Limits: no transactions of Faust (an event is appended once by its id, and offsets are committed
behind the events that they stand for), no compression.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from faust.transport import base
from faust.types import TP
from faust.types.tuples import RecordMetadata

from streams.log.records import EVENT_ID, Draft, Place
from streams.log.store import EmbeddedStore
from streams.log.writer import Writer

_MOST_WAITING = 4000  # appends under way; a faster agent waits for the disk


class Producer(base.Producer):
    """Appends records in the order in which they are sent."""

    _writer: Writer | None = None
    _store: EmbeddedStore | None = None

    async def on_start(self) -> None:
        """Open the log."""
        await super().on_start()
        self._waiting: set[asyncio.Future[list[Place]]] = set()
        path = self.transport.path  # type: ignore[attr-defined]  # ours, see transport.py
        self._store = EmbeddedStore(path)
        self._writer = Writer(path, self.app.conf.id)

    async def on_stop(self) -> None:
        """Write what was sent, then close."""
        await super().on_stop()
        if self._writer:
            self._writer.close()
            await asyncio.sleep(0)  # lets the last futures be settled
        if self._store:
            self._store.close()

    @property
    def writer(self) -> Writer:
        """The one writer of this app; the consumer commits through it too."""
        assert self._writer, "the producer is started first"  # Faust's order
        return self._writer

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Ask for an append; await the result for its durability."""
        while len(self._waiting) >= _MOST_WAITING:
            await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
        found = tuple((headers.items() if isinstance(headers, Mapping) else headers) or ())
        draft = Draft(
            topic,
            value,
            key,
            found,
            event_id=next((v.decode() for k, v in found if k == EVENT_ID), None),
            partition=partition,
            at_ms=int(timestamp * 1000) if timestamp else None,
        )
        done = self.writer.write((draft,))
        told: asyncio.Future[RecordMetadata] = done.get_loop().create_future()
        self._waiting.add(done)
        done.add_done_callback(lambda _: self._appended(done, told))
        return told

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> RecordMetadata:
        """Append, and return when it is durable."""
        return await (await self.send(topic, key, value, partition, timestamp, headers))

    async def flush(self) -> None:
        """Wait until everything sent is durable."""
        await self.buffer.flush()
        while self._waiting:
            await asyncio.wait(self._waiting)

    async def create_topic(
        self, topic: str, partitions: int, replication: int, **settings: Any
    ) -> None:
        """Declare the topic; its records are kept for ever, whatever the settings say."""
        assert self._store, "the producer is started first"  # Faust's order
        self._store.declare(topic, partitions)

    def key_partition(self, topic: str, key: bytes) -> TP:
        """The partition that records of this key go to."""
        assert self._store, "the producer is started first"  # Faust's order
        return TP(topic, self._store.partition_of(topic, key))

    def supports_headers(self) -> bool:
        """Headers are kept."""
        return True

    def _appended(
        self, done: "asyncio.Future[list[Place]]", told: "asyncio.Future[RecordMetadata]"
    ) -> None:
        self._waiting.discard(done)
        if told.cancelled() or done.cancelled():
            return
        if error := done.exception():
            told.set_exception(error)
            # Going on would commit offsets of events that are not on the log.
            self.app._crash(error)
            return
        (place,) = done.result()
        tp = TP(place.topic, place.partition)
        told.set_result(RecordMetadata(place.topic, place.partition, tp, place.offset))
