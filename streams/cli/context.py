"""What a command works on: the settings, the log and the curriculum that hold here."""

from collections.abc import Iterator
from contextlib import contextmanager

from streams.config import Settings, settings
from streams.errors import LogError
from streams.log.store import Store
from streams.topics import TOPICS


@contextmanager
def opened(found: Settings | None = None, *, must_exist: bool = False) -> Iterator[Store]:
    """The log, with every topic declared.

    Raises:
        LogError: There is none yet and `must_exist`; the message says how to begin one.
    """
    found = found or settings()
    if must_exist and not found.log_path.exists():
        raise LogError(
            f"There is no log at {found.log_path} yet. Begin one with `lem seed`,"
            " or set LEM_HOME to the folder that holds it."
        )
    store = Store(found.log_path)
    try:
        for topic in TOPICS:
            store.declare(topic, found.partitions)
        yield store
    finally:
        store.close()
