"""Where an event comes from: when, by whom, in which run, led to by what."""

import functools
from datetime import UTC, datetime
from typing import TypedDict

from schemas.base import Fact
from streams.config import worker_name


class Origin(TypedDict):
    """The fields that every event has beside its content."""

    at: datetime
    by: str
    run: str | None
    cause: str | None


def write_as(worker: str) -> None:
    """From here on events of this process are written by this worker; empty for the host's name."""
    global _worker
    _worker = worker


def origin(cause: Fact | None = None, *, run: str | None = None) -> Origin:
    """The origin of an event that is made here and now; its run is the cause's if not given."""
    return Origin(
        at=datetime.now(UTC),
        by=_name(_worker),
        run=run or (cause.run if cause else None),
        cause=cause.id if cause else None,
    )


_name = functools.cache(worker_name)
_worker = ""
