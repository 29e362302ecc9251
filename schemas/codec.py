"""Events as JSON and JSON as events; nothing else decides what a readable record is."""

from typing import Any, get_args

import msgspec

from schemas import Event
from schemas.base import Fact
from schemas.upcast import lifted

TYPES: dict[str, type[Fact]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Event)}
"""Every event type by its tag, as `scored`."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Unreadable(ValueError):
    """The bytes are no event; the message says what is wrong, and at which path."""


def encode(event: Fact) -> bytes:
    """The event as JSON, its fields in the order of their declaration."""
    return _encoder.encode(event)


def decode(value: bytes) -> Event:
    """The event in these bytes, lifted to today's schema.

    Raises:
        Unreadable: It is not JSON, not a known type or version, or a field does not fit.
    """
    try:
        event = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _decode_other(value, error)
    return event if event.schema == event.current else _decode_other(value, None)


def _decode_other(value: bytes, error: Exception | None) -> Event:
    """What today's types don't fit: an older version, or no event at all."""
    try:
        fields: Any = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Unreadable(f"not JSON: {broken}") from broken
    kind = TYPES.get(str(fields.get("type"))) if isinstance(fields, dict) else None
    if kind is None or fields.get("schema", 1) == kind.current:
        raise Unreadable(f"not an event known here: {error}") from error
    try:
        event: Event = msgspec.convert(lifted(fields, kind.current), Event)
    except Exception as lifting:  # a step may fail in any way on a record that is not as it was
        raise Unreadable(f"not an event known here: {lifting}") from lifting
    return event
