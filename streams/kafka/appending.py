"""Appending to a broker: what the log lacks is sent at once, and awaited."""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from streams.errors import LogError
from streams.kafka.client import PATIENCE_S, Client
from streams.log.records import EVENT_ID, LARGEST_BYTES, Draft, Place, Record, TopicPartition

if TYPE_CHECKING:
    from streams.kafka.broker import Broker


def append(log: "Broker", client: Client, drafts: Sequence[Draft]) -> list[Place]:
    """Append the drafts that the log lacks; where each of them stands.

    Raises:
        LogError: One of them can't be appended, and none is; or the broker went away, and a part
            of them may be on the log. The same drafts again complete it.
    """
    spots = [(draft.topic, _partition(log, draft)) for draft in drafts]
    known = log.lookup.places({draft.event_id for draft in drafts if draft.event_id})
    new: dict[str, int] = {}  # the first of the batch for each event
    taken = []
    for number, draft in enumerate(drafts):
        key = draft.event_id or f"#{number}"
        if key not in known and new.setdefault(key, number) == number:
            taken.append(number)
    records = _timed(log, [drafts[n] for n in taken], [spots[n] for n in taken])
    sent = client.call(_send(client, log.prefix, records), verb="write")
    log.lookup.add(sent)
    placed = {
        number: Place(each.topic, each.partition, each.offset, is_new=True)
        for number, each in zip(taken, sent, strict=True)
    }
    return [
        placed.get(number)
        or known.get(str(draft.event_id))
        or placed[new[str(draft.event_id)]]._replace(is_new=False)
        for number, draft in enumerate(drafts)
    ]


def _partition(log: "Broker", draft: Draft) -> int:
    """Where the draft goes; it is refused here, before anything is sent."""
    if (size := _bytes(draft)) > 2 * LARGEST_BYTES - _FRAME_BYTES:
        raise LogError(
            f"{log.place}: a record of {size:,} bytes is too large for"
            f" {draft.topic}; at most {2 * LARGEST_BYTES - _FRAME_BYTES:,} fit. Nothing of this"
            " write is on the log."
        )
    if draft.partition is None:
        return log.partition_of(draft.topic, draft.key)
    log.refuse(draft.topic, draft.partition)
    return draft.partition


def _bytes(draft: Draft) -> int:
    headers = sum(len(name.encode()) + len(value) for name, value in draft.headers)
    return len(draft.value or b"") + len(draft.key or b"") + headers


def _timed(log: "Broker", drafts: Sequence[Draft], spots: Sequence[TopicPartition]) -> list[Record]:
    """The drafts as records, none logged before the one ahead of it."""
    now_ms = time.time_ns() // 1_000_000
    latest: dict[TopicPartition, int] = {}
    records = []
    for draft, spot in zip(drafts, spots, strict=True):
        last_ms = latest[spot] if spot in latest else log.lookup.latest_ms(*spot)
        latest[spot] = max(last_ms, draft.at_ms or now_ms)
        records.append(Record(*spot, -1, latest[spot], draft.key, draft.value, _headers(draft)))
    return records


def _headers(draft: Draft) -> tuple[tuple[str, bytes], ...]:
    """With the event's id among them: a broker has no other place for it."""
    if draft.event_id is None or any(name == EVENT_ID for name, _ in draft.headers):
        return draft.headers
    return ((EVENT_ID, draft.event_id.encode()), *draft.headers)


async def _begun(
    producer: AIOKafkaProducer, prefix: str, each: Record
) -> "asyncio.Future[RecordMetadata]":
    """The future of a record that is on its way."""
    sent: asyncio.Future[RecordMetadata] = await producer.send(
        prefix + each.topic,
        each.value,
        # aiokafka sends no record that has neither; such a one says nothing.
        key=b"" if each.key is None and each.value is None else each.key,
        partition=each.partition,
        timestamp_ms=each.at_ms,
        headers=list(each.headers),
    )
    return sent


async def _send(client: Client, prefix: str, records: Sequence[Record]) -> list[Record]:
    """The records, each with the offset that it has now."""
    producer = await client.producer()
    try:
        async with asyncio.timeout(PATIENCE_S):  # aiokafka itself would try for ever
            waiting = [await _begun(producer, prefix, each) for each in records]
            done = await asyncio.gather(*waiting)
    except (KafkaError, TimeoutError):
        await client.drop("producer")  # it numbers its batches: after a refusal none fits
        raise
    return [each._replace(offset=told.offset) for each, told in zip(records, done, strict=True)]


_FRAME_BYTES = 64 * 1024  # for what stands around a record
