"""An event as a record of its topic, and back."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar

from schemas import Buried, Event
from schemas.base import Fact
from schemas.codec import Unreadable, decode, encode
from streams.errors import MissingRecord, RecordTooLarge, UnreadableRecord
from streams.ids import sealed
from streams.log.door import Store
from streams.log.records import EVENT_ID, LARGEST_BYTES, Draft, Record
from streams.origin import origin
from streams.topics import TOPICS, key_of, topic_of

SUM = "lem-sha256"

F = TypeVar("F", bound=Fact)


def draft(event: Fact) -> Draft:
    """The record of an event: keyed by its topic's rule, what it is told in the headers.

    Raises:
        RecordTooLarge: It has more than `LARGEST_BYTES`.
    """
    value = encode(event)
    tag = str(event.__struct_config__.tag)
    if len(value) > LARGEST_BYTES:
        raise RecordTooLarge(
            f"A {tag} of {len(value):,} bytes is too large for a log: {LARGEST_BYTES:,} at most."
        )
    # So that a tool can filter without reading the event, and `lem log verify` sees a changed byte.
    headers = (
        (EVENT_ID, event.id.encode()),
        ("lem-type", tag.encode()),
        ("lem-schema", str(event.schema).encode()),
        (SUM, checksum(value)),
    )
    return Draft(
        topic=topic_of(event).name,
        key=key_of(event).encode(),
        value=value,
        headers=headers,
        event_id=event.id,
    )


def buried(record: Record, *, step: str, error: str) -> Buried:
    """The burial of a record that a step can't use; of a huge one, its beginning."""
    burial = Buried(
        **origin(),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        step=step,
        error=error.encode(errors="replace").decode(),
        value=(record.value or b"")[: LARGEST_BYTES // 2],
    )
    return sealed(burial)


def checksum(value: bytes) -> bytes:
    """The first 16 hexadecimal digits of the value's SHA-256."""
    return hashlib.sha256(value).hexdigest()[:16].encode()


def is_as_written(record: Record) -> bool:
    """Whether the value has the checksum that was written with it; true where none was."""
    told = dict(record.headers).get(SUM)
    return told is None or told == checksum(record.value or b"")


def event(record: Record) -> Event:
    """The event in this record.

    Raises:
        UnreadableRecord: Its bytes are no event, or one of another topic.
    """
    topic, partition, offset, *_ = record
    place = f"{topic}[{partition}]@{offset}"
    try:
        told = decode(record.value or b"")
    except Unreadable as error:
        raise UnreadableRecord(
            f"{place} is {error}. Written by a newer lem?"
            f" See `lem log show {topic} {offset} --partition {partition}`."
        ) from error
    if topic in TOPICS and not isinstance(told, TOPICS[topic].event):
        tag = told.__struct_config__.tag
        raise UnreadableRecord(f'{place} is a "{tag}", which does not belong on {topic}.')
    return told


def found(store: Store, event_id: str, kind: type[F], *, by: str) -> F:
    """The event of this id.

    Args:
        store: The log.
        event_id: Its whole id.
        kind: What it must be.
        by: What names it, for the error, as `Score 3fa9…`.

    Raises:
        MissingRecord: It is not on the log.
        UnreadableRecord: It can't be read.
    """
    for record in store.find(event_id):
        if isinstance(each := event(record), kind):
            return each
    raise MissingRecord(
        f"{by} names {kind.__struct_config__.tag} {event_id}, which is not on {store.place}."
        " See `lem log verify`."
    )


def events(store: Store, topic: str, *, after: dict[int, int] | None = None) -> Iterator[Event]:
    """Every readable event of a topic; the others are buried by the agents, or shown by verify.

    Args:
        store: The log.
        topic: Its name.
        after: The first offset to read, by partition; taken further as events are read.
    """
    following = {} if after is None else after
    for partition in range(store.topics()[topic]):
        for record in store.scan(topic, partition, offset=following.get(partition, 0)):
            following[partition] = record.offset + 1
            with suppress(UnreadableRecord):
                yield event(record)


def written(store: Store, facts: Iterable[Fact], *, batch: int = 500) -> Iterator[int]:
    """Append the events in batches; yields how many of each batch the log did not have."""
    waiting = iter(facts)
    while part := [draft(fact) for fact in islice(waiting, batch)]:
        yield sum(place.is_new for place in store.append(part))
