"""Faust's own transport over aiokafka, with what a log asks of it on top.

Behaviour:
* a record is acknowledged by every replica in sync before its future is done;
* an event that the log has already is not sent again: after a crash, or when a partition comes
  from another worker, the last records are handled once more;
* before a partition's records are handled, the index is read on to the end of the log, so that
  what the worker before sent is known.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from faust.transport.drivers import aiokafka
from faust.types import TP
from faust.types.tuples import RecordMetadata

from streams.errors import LemError
from streams.kafka.broker import Broker
from streams.kafka.client import PRODUCER
from streams.log.records import EVENT_ID

_PARTING_S = 10.0
_MOST_SENT = 20_000  # events remembered that were sent by this worker and may not be indexed yet


class Producer(aiokafka.Producer):
    """Sends what the log does not have."""

    _sent: OrderedDict[str, None]

    async def on_start(self) -> None:
        """Learn what the log holds, then connect.

        It may take longer than a group waits for one who joins it; so it is done before.
        """
        self._sent = OrderedDict()
        await asyncio.to_thread(_log(self).lookup.read_on)
        await super().on_start()

    async def on_stop(self) -> None:
        """Send what is left; what a broker that is away did not take is done again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                await super().on_stop()

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
        """Send a record; await the result for its durability."""
        found = dict(headers or {})
        event_id = found.get(EVENT_ID, b"").decode()
        if event_id and self._is_known(event_id):
            return _known(topic)
        return await super().send(
            topic, key, value, partition, timestamp, headers, transactional_id=transactional_id
        )

    def _is_known(self, event_id: str) -> bool:
        """Whether it is on the log or on its way there; from now on it is."""
        if event_id in self._sent or _log(self).lookup.seen(event_id):
            return True
        self._sent[event_id] = None
        if len(self._sent) > _MOST_SENT:
            self._sent.popitem(last=False)
        return False

    def _settings_extra(self) -> Mapping[str, Any]:
        return PRODUCER


class Consumer(aiokafka.Consumer):
    """Reads the partitions that the group gives this worker."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Learn what came onto the log meanwhile, then begin."""
        try:
            await asyncio.to_thread(_log(self).lookup.read_on)
        except LemError as error:
            self.app.fail(error)  # type: ignore[attr-defined]  # ours, see streams/app.py
            return
        await super().on_partitions_assigned(assigned, generation_id)


class Transport(aiokafka.Transport):
    """Makes the consumer and the producer of one app."""

    Consumer = Consumer
    Producer = Producer
    driver_version = f"{aiokafka.Transport.driver_version}, lem={version('lem')}"


def _log(service: Any) -> Broker:
    """The app's log, which is on a broker where this transport is."""
    found: Broker = service.app.store
    return found


def _known(topic: str) -> Awaitable[RecordMetadata]:
    done: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
    done.set_result(RecordMetadata(topic, -1, TP(topic, -1), -1))
    return done
