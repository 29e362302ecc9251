"""The log on a broker against aiokafka alone, over a Kafka that is started for it.

Both sides connect anew each round, and both see or send the same records.

Run: python -m tests.bench.kafka
"""

import asyncio
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.config import Settings
from streams.connect import connected
from streams.kafka.client import PRODUCER
from streams.kafka.security import addresses
from streams.log.records import Draft
from streams.parquet import FILE_RECORDS
from streams.replay import opened
from streams.topics import GENERATIONS
from tests.bench import disk, paired
from tests.bench.replay import drafts, fill
from tests.bench.tail import lag
from tests.kafka import Kafka

_BATCH = 500
_ROUNDS = 7

Sending = Callable[[Settings, Sequence[list[Draft]]], None]


@contextmanager
def running() -> Iterator[str]:
    """The URL of a Kafka with nothing on it."""
    node = Kafka()
    try:
        node.start()
        yield node.url
    finally:
        node.remove()


def replay(url: str, events: int = 60_000) -> tuple[dict[str, float], dict[str, float]]:
    """Events per second into views, with nothing kept of an earlier time.

    First against a consumer that does nothing with the records, then against the embedded log.
    """
    events += -events % FILE_RECORDS
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        there = Settings(home=f"{folder}/there", broker=url, topic_prefix="replay.")
        here = Settings(home=f"{folder}/here")
        for found in (there, here):
            with closing(connected(found)) as store:
                fill(store, events)
        return (
            paired(_viewed(there, events), _consumed(there, events), rounds=_ROUNDS),
            paired(_viewed(there, events), _viewed(here, events), rounds=_ROUNDS),
        )


def append(url: str, records: int = 10_000) -> dict[str, float]:
    """Records per second of both, and ours by theirs; each round on a topic of its own."""
    parts = [
        part[at : at + _BATCH] for part in drafts(records) for at in range(0, len(part), _BATCH)
    ]
    return paired(
        lambda: records / _timed_sending(_append, url, parts),
        lambda: records / _timed_sending(_send, url, parts),
        rounds=_ROUNDS,
    )


def _viewed(found: Settings, events: int) -> Callable[[], float]:
    def once() -> float:
        for kept in ("columns", "kafka"):
            shutil.rmtree(found.home_path / kept, ignore_errors=True)
        began = time.perf_counter()
        with closing(connected(found)) as store, opened(store, found.home_path):
            return events / (time.perf_counter() - began)

    return once


def _consumed(found: Settings, events: int) -> Callable[[], float]:
    def once() -> float:
        began = time.perf_counter()
        asyncio.run(_read(found, events))
        return events / (time.perf_counter() - began)

    return once


async def _read(found: Settings, events: int) -> None:
    topic = TopicPartition(found.topic_prefix + GENERATIONS.name, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=_hosts(found), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([topic])
        while events > 0:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                events -= len(records)
    finally:
        await consumer.stop()


def _timed_sending(send: Sending, url: str, parts: Sequence[list[Draft]]) -> float:
    with tempfile.TemporaryDirectory(dir=disk()) as home:
        found = Settings(home=home, broker=url, topic_prefix=f"{uuid.uuid4().hex}.")
        with closing(connected(found)) as store:
            store.declare(GENERATIONS.name, 1)
        began = time.perf_counter()
        send(found, parts)
        return time.perf_counter() - began


def _append(found: Settings, parts: Sequence[list[Draft]]) -> None:
    with closing(connected(found)) as store:
        for part in parts:
            store.append(part)


def _send(found: Settings, parts: Sequence[list[Draft]]) -> None:
    """The same records with the same promise: a part is on the log before the next one goes."""
    asyncio.run(_sent(found, parts))


async def _sent(found: Settings, parts: Sequence[list[Draft]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=_hosts(found), **PRODUCER)
    await producer.start()
    try:
        for part in parts:
            sent = [
                await producer.send(
                    found.topic_prefix + each.topic,
                    each.value,
                    key=each.key,
                    partition=0,
                    headers=list(each.headers),
                )
                for each in part
            ]
            await asyncio.gather(*sent)
    finally:
        await producer.stop()


def _hosts(found: Settings) -> list[str]:
    return [f"{host}:{port}" for host, port in addresses(found)]


if __name__ == "__main__":
    with running() as url:
        bare, embedded = replay(url)
        print({"replay": bare, "replay, embedded": embedded, "append": append(url)})
        print({"tail": lag(url)})
