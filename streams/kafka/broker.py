"""The log on a broker, for whoever reads or writes many records outside Faust.

Behaviour, where it differs from the log in a file:
* an event is appended once as far as the log tells at that moment: two programs that append the
  same event at the same instant both do, and readers take the first;
* a logged time is the writer's: within a partition it may go back by what their clocks differ;
* where an event stands is looked up in an index below the home, which is read on from the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from aiokafka import TopicPartition as Whole
from aiokafka.partitioner import murmur2

from streams.config import Settings, worker_name
from streams.errors import GroupTaken, LogError
from streams.kafka import groups, topics
from streams.kafka.appending import append
from streams.kafka.client import PATIENCE_S, PRODUCER, Client
from streams.kafka.lookup import Lookup
from streams.kafka.reader import Reader, record
from streams.kafka.security import addresses, credentials
from streams.kafka.stretch import Stretch
from streams.log.records import Draft, Place, Record, TopicPartition
from streams.topics import TOPICS

_BATCH = 1000


class Broker:
    """One connection to the log on a broker."""

    is_shared = True
    slack_ms = 60_000  # what the clocks of two machines may differ by

    def __init__(self, found: Settings) -> None:
        """Reach the broker.

        Raises:
            LogError: It is not there, is no broker, or refuses us.
        """
        self._settings = found
        self.prefix = found.topic_prefix
        self._client = Client(found)
        self.place = self._client.place
        self._reader = Reader(self._client, "reader")
        self._stretch = Stretch(self._client)
        self._waiter = Reader(self._client, "waiter")
        self._counts: dict[str, int] = {}
        self._checked: set[str] = set()

    def close(self) -> None:
        """Close every connection; the log can be opened again."""
        if "lookup" in self.__dict__:
            self.lookup.close()
        self._client.close()

    @cached_property
    def folder(self) -> str:
        """One for each cluster and prefix, wherever its brokers are."""
        cluster = self._client.call(groups.cluster(self._client))
        return f"kafka/{cluster}/{self.prefix or 'all'}"

    @cached_property
    def lookup(self) -> Lookup:
        """Where events stand; many threads may ask it."""
        path = self._settings.home_path / self.folder / "index.db"
        return Lookup(self._client, path, self.prefix, lambda: self._counts or self.topics())

    def faust(self) -> dict[str, Any]:
        """Settings for a Faust app whose agents work on this log."""
        hosts = [f"lem-kafka://{host}:{port}" for host, port in addresses(self._settings)]
        return {
            "broker": hosts,
            "broker_credentials": credentials(self._settings),
            "broker_client_id": worker_name(self._settings.worker),
            "broker_request_timeout": PATIENCE_S,
            "broker_session_timeout": groups.SESSION_S,
            "broker_heartbeat_interval": groups.HEARTBEAT_S,
            "broker_max_poll_interval": groups.POLL_S,
            "producer_request_timeout": PATIENCE_S,
            "producer_compression_type": PRODUCER["compression_type"],
            "producer_max_request_size": PRODUCER["max_request_size"],
            "topic_allow_declare": False,
        }

    def topics(self) -> dict[str, int]:
        """How many partitions each topic has, by name."""
        found = self._client.call(topics.partitions(self._client, self.prefix))
        names = {name.removeprefix(self.prefix): count for name, count in found.items()}
        ours = {name: names[name] for name in TOPICS if name in names}
        self._counts = ours | names
        return dict(self._counts)

    def declare(self, topic: str, partitions: int) -> int:
        """Make the topic where it is missing, and check it where it is there.

        Raises:
            LogError: It is set so that records could be lost.
        """
        if "." in topic:
            said = f'{self.place} can\'t have a topic "{topic}": a full stop ends its prefix.'
            raise LogError(said)
        if topic not in self._counts and topic not in self.topics():
            making = topics.make(
                self._client, self.prefix + topic, partitions, self._settings.replication
            )
            self._client.call(making, verb="make a topic of")
            self.topics()
        if topic not in self._checked:
            self._check_settings()
        return self._counts[topic]

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """The partition that records of this key go to, as every Kafka client has it."""
        hashed: int = murmur2(key or b"") & 0x7FFFFFFF
        return hashed % self._count(topic)

    def append(self, drafts: Sequence[Draft]) -> list[Place]:
        """Append the drafts; an event that the log has already is told by its place."""
        return append(self, self._client, drafts)

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Note the first offset that the group has not done yet, for each partition."""
        wanted = {self._whole(*spot): offset for spot, offset in offsets.items()}
        self._client.call(
            groups.commit(self._client, self.prefix + group, wanted), verb="commit on"
        )

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """The group's committed offsets; a partition without one is missing."""
        found = self._client.call(groups.committed(self._client, self.prefix + group))
        return {
            (tp.topic.removeprefix(self.prefix), tp.partition): offset
            for tp, offset in found.items()
            if tp.topic.startswith(self.prefix)
        }

    def groups(self) -> list[str]:
        """Every consumer group that ever committed here."""
        found = self._client.call(groups.names(self._client, self.prefix))
        named = [name.removeprefix(self.prefix) for name in found]
        return [name for name in named if self.committed(name)]

    def workers(self) -> dict[str, list[str]]:
        """Program, host and share of everyone who works in a group now."""
        names = self._client.call(groups.names(self._client, self.prefix))
        found = self._client.call(groups.members(self._client, names))
        return {name.removeprefix(self.prefix): who for name, who in found.items() if who}

    @contextmanager
    def held(self, group: str) -> Iterator[None]:
        """Go on only where nobody works in the group; who comes later is not kept out.

        Raises:
            GroupTaken: A worker is running.
        """
        if who := self.workers().get(group):
            raise GroupTaken(
                f'Group "{group}" on {self.place} has {len(who)} at work: {", ".join(who)}.'
                " Stop them first (Ctrl+C), or go on with them."
            )
        yield

    def read(
        self, topic: str, partition: int, *, offset: int = 0, limit: int = _BATCH
    ) -> list[Record]:
        """The records from `offset` to before `offset + limit`.

        Raises:
            LogError: The broker does not answer, or deleted some of them.
        """
        found = self._read(topic, partition, offset, limit)
        return [record(each, self.prefix) for each in found]

    def values(
        self, topic: str, partition: int, *, offset: int = 0, limit: int = _BATCH
    ) -> Iterator[tuple[int, int, bytes | None]]:
        """Offset, logged time and value alone; what follows is fetched meanwhile."""
        stop = offset + limit
        for part in self._stretch.values(self._whole(topic, partition), offset, limit):
            yield from part
            offset = part[-1][0] + 1
        if offset < stop:
            for each in self._read(topic, partition, offset, stop - offset):
                yield each.offset, each.timestamp, each.value

    def scan(self, topic: str, partition: int, *, offset: int = 0) -> Iterator[Record]:
        """Every record of a partition from `offset` on, read in batches."""
        while batch := self.read(topic, partition, offset=offset):
            yield from batch
            offset = batch[-1].offset + 1

    def end(self, topic: str, partition: int) -> int:
        """The offset that the partition's next record will have."""
        return self._ends([self._whole(topic, partition)])[topic, partition]

    def records(self, topic: str) -> int:
        """How many records the topic has, over all its partitions."""
        wanted = [self._whole(topic, partition) for partition in range(self._count(topic))]
        return sum(self._ends(wanted).values())

    def ends(self) -> dict[TopicPartition, int]:
        """The end of every partition of every topic."""
        return self._ends([self._whole(t, p) for t, n in self.topics().items() for p in range(n)])

    def offset_at(self, topic: str, partition: int, at_ms: int) -> int:
        """The first offset whose record was appended at `at_ms` or later."""
        return self._client.call(self._reader.offset_at(self._whole(topic, partition), at_ms))

    def find(self, event_id: str, *, limit: int = 10) -> list[Record]:
        """The records of the events whose id begins with these hexadecimal digits."""
        return self.lookup.find(event_id, limit)

    def known(self, event_ids: Iterable[str]) -> set[str]:
        """Those of the ids that the log has already."""
        return set(self.lookup.places(list(event_ids)))

    def wait(self, ends: Mapping[TopicPartition, int], timeout_s: float) -> None:
        """Return when a partition goes beyond one of these ends, or when the time is over."""
        wanted = {self._whole(*spot): end for spot, end in ends.items()}
        waiting = self._waiter.some(wanted, _BATCH, int(timeout_s * 1000))
        self._reader.take(self._client.call(waiting))

    def check(self) -> list[str]:
        """Settings with which records could be lost, and records that are."""
        names = self.topics()
        found = self._client.call(self._differences(names))
        tps = [self._whole(topic, p) for topic, count in names.items() for p in range(count)]
        begins = self._client.call(self._reader.begins(tps))
        gone = [
            f"{tp.topic}[{tp.partition}] begins at offset {begin}: what was before is deleted"
            for tp, begin in sorted(begins.items())
            if begin
        ]
        return found + gone

    def _read(self, topic: str, partition: int, offset: int, limit: int) -> list[Any]:
        tp = self._whole(topic, partition)
        return self._client.call(self._reader.read(tp, offset, limit))

    def _ends(self, wanted: list[Whole]) -> dict[TopicPartition, int]:
        found = self._client.call(self._reader.ends(wanted))
        return {(tp.topic.removeprefix(self.prefix), tp.partition): e for tp, e in found.items()}

    async def _differences(self, names: Iterable[str]) -> list[str]:
        whole = [self.prefix + name for name in names]
        return await topics.differences(self._client, whole, self._settings.replication)

    def _check_settings(self) -> None:
        if found := self._client.call(self._differences(self._counts)):
            raise LogError(
                f"{self.place}: {found[0]}. Set it so (`rpk topic alter-config`, or"
                " kafka-configs.sh), or name another LEM_TOPIC_PREFIX."
            )
        self._checked |= self._counts.keys()

    def _whole(self, topic: str, partition: int) -> Whole:
        self.refuse(topic, partition)
        return Whole(self.prefix + topic, partition)

    def refuse(self, topic: str, partition: int) -> None:
        """Refuse a partition that the topic does not have.

        Raises:
            LogError: It has no such partition, or there is no such topic.
        """
        if not 0 <= partition < (count := self._count(topic)):
            raise LogError(
                f"{self.place}: {topic} has partitions 0 to {count - 1}, and no {partition}."
            )

    def _count(self, topic: str) -> int:
        if topic not in self._counts:
            self.topics()
        try:
            return self._counts[topic]
        except KeyError:
            there = ", ".join(self._counts) or "none"
            raise LogError(f'{self.place} has no topic "{topic}"; there are: {there}.') from None
