"""One worker for each consumer group: a lock that the system lets go when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.errors import GroupTaken, LogError


@contextmanager
def held(log: Path, group: str) -> Iterator[None]:
    """Hold the group of this log; whoever else asks is refused.

    Raises:
        GroupTaken: A running worker holds it; the message names its process id.
    """
    path = log.with_name(f"{log.name}.{group}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise LogError(
            f"{path}: can't be written: {error}. LEM_HOME names another folder."
        ) from error
    with file:
        _lock(file.fileno(), path, log, group)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _lock(number: int, path: Path, log: Path, group: str) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = path.read_text().strip()
        if not holder:  # between taking the lock and writing its id
            raise GroupTaken(f'Group "{group}" of {log} was taken just now; try again.') from None
        raise GroupTaken(
            f'Group "{group}" of {log} is held by process {holder}: one worker for each group of'
            f" an embedded log. Stop that one (`kill -INT {holder}`), or go on with it."
        ) from None
