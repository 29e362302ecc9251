"""An event as a record of its topic, and back."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress

from schemas import Buried, Event
from schemas.base import Fact
from schemas.codec import Unreadable, decode, encode
from streams.errors import UnreadableRecord
from streams.ids import sealed
from streams.log.records import Draft, Record
from streams.log.store import Store
from streams.origin import origin
from streams.topics import TOPICS, key_of, topic_of

ID, SUM = "lem-id", "lem-sha256"


def draft(event: Fact) -> Draft:
    """The record of an event: keyed by its topic's rule, what it is told in the headers."""
    value = encode(event)
    tag = str(event.__struct_config__.tag)
    # So that a tool can filter without reading the event, and `lem log verify` sees a changed byte.
    headers = (
        (ID, event.id.encode()),
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
    """The burial of a record that a step can't use."""
    found = Buried(
        **origin(),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        step=step,
        error=error.encode(errors="replace").decode(),
        value=record.value or b"",
    )
    return sealed(found)


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
    return read(record.topic, record.partition, record.offset, record.value)


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


def read(topic: str, partition: int, offset: int, value: bytes | None) -> Event:
    """The event in these bytes, which stand at this place of the log."""
    place = f"{topic}[{partition}]@{offset}"
    try:
        found = decode(value or b"")
    except Unreadable as error:
        raise UnreadableRecord(
            f"{place} is {error}. Written by a newer lem?"
            f" See `lem log show {topic} {offset} --partition {partition}`."
        ) from error
    if topic in TOPICS and not isinstance(found, TOPICS[topic].event):
        tag = found.__struct_config__.tag
        raise UnreadableRecord(f'{place} is a "{tag}", which does not belong on {topic}.')
    return found
