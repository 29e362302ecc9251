"""A Faust consumer over the embedded log: every partition is its own, and it polls without work.

Behavior:
* the group's lock is held from subscribing to stopping: no second worker, so no rebalance;
* reading wakes within `_LOOK_EVERY_S` of an append in any process, at the price of one
  `pragma data_version` each time (microseconds, no disk);
* an offset is committed by the writer behind whatever was sent before.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

from faust.transport import base
from faust.types import TP, ConsumerMessage

from streams.log.group import held
from streams.log.records import Record
from streams.log.store import EmbeddedStore

_LOOK_EVERY_S = 0.01
_MOST_AT_ONCE = 200  # records of one partition in a batch; the next partition is not kept waiting


class Consumer(base.Consumer):
    """Reads every partition of the topics that agents subscribed to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held = contextlib.ExitStack()
        self._store: EmbeddedStore | None = None
        self._positions: dict[TP, int] = {}
        self._ends: dict[TP, int] = {}

    @property
    def store(self) -> EmbeddedStore:
        """The reading connection, opened at first use."""
        if self._store is None:
            path = self.transport.path  # type: ignore[attr-defined]  # ours, see transport.py
            self._held.enter_context(held(path, self.app.conf.id))
            self._store = EmbeddedStore(path)
        return self._store

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Take every partition of these topics, and tell Faust as a rebalance would."""
        app = self.app
        partitions = app.conf.topic_partitions
        taken = {
            TP(topic, number)
            for topic in topics
            for number in range(self.store.declare(topic, partitions))
        }
        app.assignor.assigned_actives = lambda: taken  # type: ignore[method-assign]
        app.on_rebalance_start()
        # Faust waits in there for this very method to return.
        self.add_future(self._assign(taken))

    async def _assign(self, taken: set[TP]) -> None:
        generation = self.app.consumer_generation_id + 1
        self.app.consumer_generation_id = generation
        await self.on_partitions_revoked(self.assignment() - taken)
        self._positions = self._committed(taken)
        await self.on_partitions_assigned(taken, generation)

    async def on_stop(self) -> None:
        """Commit, then let the group go."""
        try:
            await super().on_stop()
        finally:  # where the last commit fails too
            if self._store:
                self._store.close()
            self._held.close()

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109  # the signature is Faust's
    ) -> Any:
        """What is new, as soon as there is something, or nothing after `timeout` seconds."""
        deadline = monotonic() + timeout
        while not self.should_stop:
            version = self.store.version()
            found = self._read(active_partitions or set())
            if found:
                return found
            while self.store.version() == version:
                if monotonic() >= deadline or self.should_stop:
                    return {}
                await asyncio.sleep(_LOOK_EVERY_S)
        return {}

    def _read(self, wanted: set[TP]) -> dict[TP, list[Record]]:
        found = {}
        for tp in sorted(wanted & self._positions.keys()):
            position = self._positions[tp]
            if records := self.store.read(*tp, offset=position, limit=_MOST_AT_ONCE):
                found[tp] = records
                self._positions[tp] = records[-1].offset + 1
                self._ends[tp] = self.store.end(*tp)
        return found

    def _to_message(self, tp: TP, record: Record) -> ConsumerMessage:
        return ConsumerMessage(
            record.topic,
            record.partition,
            record.offset,
            record.at_ms / 1000.0,
            1,  # log append time, as Kafka numbers it
            list(record.headers),
            record.key,
            record.value,
            None,
            len(record.key or b""),
            len(record.value or b""),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        ends = {(tp.topic, tp.partition): end for tp, end in offsets.items()}
        await self.app.producer.writer.write((), offsets=ends)  # type: ignore[attr-defined]  # ours
        return True

    def _committed(self, tps: Iterable[TP]) -> dict[TP, int]:
        found = self.store.committed(self.app.conf.id)
        return {tp: found.get((tp.topic, tp.partition), 0) for tp in tps}

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to the committed offsets, or to the start."""
        self._positions.update(self._committed(self._positions))
        return dict(self._positions)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to these offsets."""
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def position(self, tp: TP) -> int | None:
        """The offset that is read next."""
        return self._positions.get(tp)

    def assignment(self) -> set[TP]:
        """Every partition of the subscribed topics."""
        return set(self._positions)

    def highwater(self, tp: TP) -> int:
        """The partition's end offset when it was last read; Faust asks for every record."""
        return self._ends.get(tp, 0)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The partitions' end offsets."""
        return {tp: self.store.end(*tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Always 0: nothing is ever deleted."""
        return dict.fromkeys(partitions, 0)

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions the topic has."""
        return self.store.topics().get(topic)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int:
        """The partition that records of this key go to."""
        return self.store.partition_of(topic, key) if partition is None else partition

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def create_topic(
        self, topic: str, partitions: int, replication: int, **settings: Any
    ) -> None:
        """Declare the topic; its records are kept for ever, whatever the settings say."""
        self.store.declare(topic, partitions)
