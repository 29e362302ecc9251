"""Reading a long stretch of a partition: whole batches, taken apart by whoever asked for them.

aiokafka's consumer makes an object of eleven fields for each record, and in the client's thread,
which waits for the interpreter while the caller is at work. Here that thread only fetches, one
answer ahead. Nothing is tried twice: where a fetch fails or brings nothing, the stretch ends, and
the consumer is to be asked for the rest.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from streams.kafka.client import Client
from streams.log.records import Value

_BYTES = 1024 * 1024  # of an answer; a larger batch comes whole, and alone
_PROMPT_S = 5.0
_NOWHERE = TopicPartition("", 0), 0


class Stretch:
    """Goes on where it was if what is asked for follows; else begins there."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._at = _NOWHERE
        self._batches: list[Any] = []  # fetched and not taken apart, the next one last
        self._left: list[Value] = []
        self._coming: Future[list[Any]] | None = None

    def values(self, tp: TopicPartition, offset: int, limit: int) -> Iterator[list[Value]]:
        """At most so many values, in lists; fewer where they are not to be had at once."""
        if self._at != (tp, offset):
            self._batches, self._left, self._coming = [], [], None
        self._at, stop = _NOWHERE, offset + limit  # until all was taken, nothing follows
        while offset < stop and (found := self._next(tp, offset)):
            kept = [each for each in found if each[0] < stop]
            self._left = found[len(kept) :]
            offset = kept[-1][0] + 1
            yield kept
        self._at = tp, offset

    def _next(self, tp: TopicPartition, offset: int) -> list[Value]:
        """What follows: the rest of a batch, or a whole one."""
        found, self._left = self._left, []
        while not found and (batch := self._batch(tp, offset)):
            found = [(r.offset, r.timestamp, r.value) for r in batch if r.offset >= offset]
        return found

    def _batch(self, tp: TopicPartition, offset: int) -> Any:
        if not self._batches:
            coming = self._coming or self._client.begin(self._fetched(tp, offset))
            if not (found := coming.result()):
                return None
            self._coming = self._client.begin(self._fetched(tp, found[-1].next_offset))
            self._batches = found[::-1]
        return self._batches.pop()

    async def _fetched(self, tp: TopicPartition, offset: int) -> list[Any]:
        """The batches there, as far as the broker tells them at once."""
        asked = [(tp.topic, [(tp.partition, offset, _BYTES)])]
        try:
            async with asyncio.timeout(_PROMPT_S):
                connection = await self._client.connection()
                await connection.add_topic(tp.topic)
                leader = connection.cluster.leader_for_partition(tp)
                answer = await connection.send(leader, FetchRequest(0, 1, _BYTES, 0, asked))
        except (KafkaError, OSError, TimeoutError):
            return []
        ((_, ((_, error, *_, found),)),) = answer.topics
        return [] if error else list(_sound(found))


def _sound(fetched: bytes) -> Iterator[Any]:
    """The batches up to one that is not as it was sent, or that holds no records of ours."""
    rest = MemoryRecords(fetched)
    while rest.has_next():
        batch = rest.next_batch()
        if batch is None or batch.is_control_batch or not batch.validate_crc():
            return
        yield batch
