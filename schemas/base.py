"""What every event has in common, and nothing of any one of them."""

from datetime import datetime
from typing import ClassVar

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Something that happened: written once, never changed.

    Subclasses name in `identity` the fields that say *what was asked*; the id is a hash over
    them (`streams.ids`), so that the same fact told twice has one id.
    """

    identity: ClassVar[tuple[str, ...]] = ()
    """The fields that the id is made of, in the order in which they are hashed."""

    current: ClassVar[int] = 1
    """The schema version that this code writes; older ones are lifted by `schemas.upcast`."""

    id: str = ""
    """32 hexadecimal digits over `identity`; empty only before `streams.ids.sealed`."""

    at: datetime
    """When it happened, UTC."""

    by: str
    """Who wrote it: program, version, and host or worker, as `lem/0.1.0@mac-1`."""

    run: str | None = None
    """The run it belongs to; none for probes, which stand before every run."""

    cause: str | None = None
    """The id of the event that led to this one; none where a person began it."""

    schema: int = 1
    """The version of this event's schema when it was written."""
