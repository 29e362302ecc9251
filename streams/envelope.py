"""An event as a record of its topic, and back."""

from schemas import Event
from schemas.base import Fact
from schemas.codec import Unreadable, decode, encode
from streams.errors import UnreadableRecord
from streams.log.records import Draft, Record
from streams.topics import TOPICS, key_of, topic_of


def draft(event: Fact) -> Draft:
    """The record of an event: keyed by its topic's rule, its type told in the headers."""
    tag = str(event.__struct_config__.tag)
    return Draft(
        topic=topic_of(event).name,
        key=key_of(event).encode(),
        value=encode(event),
        headers=headers(event.id, tag, event.schema),
        event_id=event.id,
    )


def headers(event_id: str, tag: str, schema: int) -> tuple[tuple[str, bytes], ...]:
    """What a tool can filter by without reading the event."""
    return (
        ("lem-id", event_id.encode()),
        ("lem-type", tag.encode()),
        ("lem-schema", str(schema).encode()),
    )


def event(record: Record) -> Event:
    """The event in this record.

    Raises:
        UnreadableRecord: Its bytes are no event, or one of another topic.
    """
    return read(record.topic, record.partition, record.offset, record.value)


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
