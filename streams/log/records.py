"""What goes onto the log and what comes back, whichever log it is."""

import hashlib
from typing import NamedTuple

Headers = tuple[tuple[str, bytes], ...]
TopicPartition = tuple[str, int]

LARGEST_BYTES = 8 * 1024 * 1024
"""The longest value of an event; a broker takes records of twice that, so that its burial fits."""

EVENT_ID = "lem-id"
"""The header with the id of the event in a record; a record with it is appended once."""


class Draft(NamedTuple):
    """A record that is to be appended."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    event_id: str | None = None
    """32 hexadecimal digits; a record with an id is appended once."""
    partition: int | None = None
    """By the key's hash where it is not given."""
    at_ms: int | None = None
    """Milliseconds since 1970; now where it is not given, never before the record ahead of it."""


class Record(NamedTuple):
    """A record on the log."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


Value = tuple[int, int, bytes | None]
"""A record's offset, its logged time, and its bytes."""


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int
    is_new: bool
    """False for an event that the log had already."""


def mark(offset: int, at_ms: int, value: bytes | None) -> str:
    """A digest by which a record is known again: it differs in a log that was begun anew."""
    return hashlib.sha256(f"{offset} {at_ms} ".encode() + (value or b"")).hexdigest()
