"""Reading from a broker: any stretch of any partition, and whatever comes next.

A broker answers the requests of one connection in turn, and lets a fetch that finds nothing wait.
So a consumer that waits is asked for nothing else, and what is asked beside goes through another.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streams.errors import LogError
from streams.kafka.client import PATIENCE_S, Client
from streams.log.records import Record

Fetched = Any
"""A `ConsumerRecord` of aiokafka."""

Positions = Mapping[TopicPartition, int]

_WAIT_MS = int(PATIENCE_S * 1000)


def record(fetched: Fetched, prefix: str) -> Record:
    """The record as every log has it."""
    topic = fetched.topic.removeprefix(prefix)
    key, value, headers = fetched.key, fetched.value, tuple(fetched.headers)
    return Record(topic, fetched.partition, fetched.offset, fetched.timestamp, key, value, headers)


class Reader:
    """A consumer that is turned to whatever is wanted; to be used in the client's thread."""

    def __init__(self, client: Client, name: str) -> None:
        """Read with a consumer of this name; two readers must not share one."""
        self._client, self._name = client, name
        self._at: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._ahead: dict[TopicPartition, list[Fetched]] = {}

    async def read(
        self, tp: TopicPartition, offset: int, limit: int, most_bytes: float = inf
    ) -> list[Fetched]:
        """The records from `offset` to before `offset + limit`, as far as there are any.

        Once they have `most_bytes`, no more are fetched.

        Raises:
            LogError: The broker deleted some of them.
        """
        stop = offset + limit
        if self._ends.get(tp, 0) < stop:
            await self.ends([tp])
        end = self._ends[tp]
        stop = min(stop, end)
        found = self._waiting(tp, offset, stop)
        while (offset := found[-1].offset + 1 if found else offset) < stop and most_bytes > 0:
            part = await self._next(tp, offset, stop - offset)
            most_bytes -= sum(len(each.value or b"") for each in part)
            found += part
        if self._at.get(tp) == end:  # else its fetch would wait for what comes next
            (await self._consumer()).pause(tp)
            del self._at[tp]
        return found

    async def some(self, positions: Positions, most: int, wait_ms: int) -> list[Fetched]:
        """What follows on these positions, as soon as there is something; none after the wait."""
        consumer = await self._turned(positions)
        found = await consumer.getmany(*positions, timeout_ms=wait_ms, max_records=most)
        for tp, records in found.items():
            self._at[tp] = records[-1].offset + 1
        return [each for records in found.values() for each in records]

    def take(self, fetched: list[Fetched]) -> None:
        """Take what another reader waited for, so that it is not fetched again."""
        for each in fetched:
            tp = TopicPartition(each.topic, each.partition)
            self._ahead.setdefault(tp, []).append(each)
            self._ends[tp] = max(self._ends.get(tp, 0), each.offset + 1)

    async def ends(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last record that is safe on the broker, for each partition."""
        if not tps:
            return {}
        asked = await self._client.consumer("asked")
        # All at once: else it waits a tenth of a second for what it does not know of each topic.
        await asked._client.set_topics({tp.topic for tp in tps} | asked._client._topics)
        found: dict[TopicPartition, int] = await asked.end_offsets(tps)
        self._ends |= found
        return found

    async def begins(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset of the first record that is still there; 0 on a log."""
        asked = await self._client.consumer("asked")
        found: dict[TopicPartition, int] = await asked.beginning_offsets(tps)
        return found

    async def offset_at(self, tp: TopicPartition, at_ms: int) -> int:
        """The first offset whose record was logged at `at_ms` or later."""
        asked = await self._client.consumer("asked")
        found = (await asked.offsets_for_times({tp: max(0, at_ms)}))[tp]
        return found.offset if found else (await self.ends([tp]))[tp]

    def _waiting(self, tp: TopicPartition, offset: int, stop: int) -> list[Fetched]:
        """What was taken from another reader, where it goes on at `offset`."""
        ahead = self._ahead.pop(tp, [])
        if not ahead or ahead[0].offset != offset:
            return []
        if len(ahead) > stop - offset:
            self._ahead[tp] = ahead[stop - offset :]
        return ahead[: stop - offset]

    async def _next(self, tp: TopicPartition, offset: int, limit: int) -> list[Fetched]:
        """The next records of the partition, one at least."""
        try:
            found = await self.some({tp: offset}, limit, _WAIT_MS)
        except OffsetOutOfRangeError as error:
            self._at.clear()
            raise LogError(
                f"{self._client.place}: {tp.topic}[{tp.partition}]@{offset} is gone: the broker"
                " deleted records. `lem log verify` tells which; another copy may have them."
            ) from error
        if not found:
            raise TimeoutError(f"{tp.topic}[{tp.partition}]@{offset} did not come")
        return found

    async def _turned(self, wanted: Positions) -> AIOKafkaConsumer:
        """The consumer, at these positions."""
        consumer = await self._consumer()
        if not wanted.keys() <= consumer.assignment():
            consumer.assign(list(wanted))
            self._at.clear()
        for tp, offset in wanted.items():
            if self._at.get(tp) != offset:
                consumer.resume(tp)
                consumer.seek(tp, offset)
                self._at[tp] = offset
        return consumer

    async def _consumer(self) -> AIOKafkaConsumer:
        return await self._client.consumer(self._name)
