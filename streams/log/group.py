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


def holders(log: Path) -> dict[str, int]:
    """The process id of each running worker of this log, by its consumer group."""
    found = {}
    for path in sorted(log.parent.glob(f"{log.name}.*.lock")):
        if pid := _holder(path):
            found[path.name.removeprefix(f"{log.name}.").removesuffix(".lock")] = pid
    return found


def _holder(lock: Path) -> int | None:
    """Who holds the lock; none where nobody does.

    The file keeps the id of its last holder. The lock is tried only where a process of this id is
    alive: a worker that starts just then would find it taken for an instant.
    """
    try:
        pid = int(lock.read_text())
        return pid if _is_alive(pid) and _is_taken(lock) else None
    except (OSError, ValueError):
        return None


def _is_taken(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


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
