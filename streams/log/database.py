"""The SQLite file under the embedded log: opened, made, its format checked, its errors told."""

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from streams.errors import LogError

FORMAT = 1
_APPLICATION_ID = 0x4C454D31  # "LEM1"
_WAIT_FOR_LOCK_S = 30.0
_PAGE_BYTES = 8192  # two events of 3.7 KB fit in one; a commit writes whole pages


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All that is written within, or nothing; no other process writes meanwhile."""
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


class Database:
    """One connection to the file; whatever SQLite raises leaves it as a `LogError`."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, and make the log where there is none."""
        self.path = path
        with self.translated("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=_WAIT_FOR_LOCK_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self.translated("open"):
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the connection; the file can be opened again."""
        self._db.close()

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of a select."""
        with self.translated("read"):
            return self._db.execute(statement, values).fetchall()

    def iterated(self, statement: str, values: Sequence[object] = ()) -> Iterator[Any]:
        """The rows of a select, one by one."""
        with self.translated("read"):
            yield from self._db.execute(statement, values)

    def many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """The statement, once for each row."""
        self._db.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within, or nothing; no other process writes meanwhile."""
        with self.translated("write"), transaction(self._db):
            yield

    @contextmanager
    def translated(self, verb: str) -> Iterator[None]:
        """Turn the errors of SQLite and of the file system into ours."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            said = f"{self.path}: can't {verb} the log: {error}. {_advice(error)}"
            raise LogError(said) from error

    def _prepare(self) -> None:
        db = self._db
        is_empty = not self._has_tables()  # asked first: another process may be making the log
        application = db.execute("pragma application_id").fetchone()[0]
        version = db.execute("pragma user_version").fetchone()[0]
        if application not in (0, _APPLICATION_ID) or not (application or is_empty):
            raise LogError(f"{self.path} is a database, but no log of lem. Set LEM_HOME elsewhere.")
        if version > FORMAT:
            raise LogError(
                f"{self.path} has log format {version}; this lem reads up to {FORMAT}."
                " Upgrade lem, or set LEM_HOME to another folder."
            )
        db.execute(f"pragma page_size = {_PAGE_BYTES}")
        self._switch_to_wal()
        db.execute("pragma synchronous = full")
        if sys.platform == "darwin":  # there, fsync alone leaves the data in the drive's cache
            db.execute("pragma fullfsync = on")
            db.execute("pragma checkpoint_fullfsync = on")
        if not application:
            self._create()

    def _switch_to_wal(self) -> None:
        """SQLite does not wait for the lock here, as it does everywhere else."""
        deadline = time.monotonic() + _WAIT_FOR_LOCK_S
        while True:
            try:
                self._db.execute("pragma journal_mode = wal")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _has_tables(self) -> bool:
        return bool(self._db.execute("select count(*) from sqlite_master").fetchone()[0])

    def _create(self) -> None:
        schema = files("streams.log").joinpath("schema.sql").read_text(encoding="utf-8")
        self._db.executescript(
            f"begin immediate; pragma application_id = {_APPLICATION_ID};"
            f" pragma user_version = {FORMAT}; {schema} commit;"
        )


def _advice(error: Exception) -> str:
    text = str(error)
    if "full" in text or "disk I/O" in text or "No space" in text:
        return "Nothing of this write is on the log; make room on the disk and go on."
    if "locked" in text:
        return f"Another process held it for over {_WAIT_FOR_LOCK_S:.0f} s; try again."
    if "not a database" in text or "malformed" in text:
        return "Keep the file, and set LEM_HOME to another folder."
    return "Is its folder there, and may you write to it? LEM_HOME names another one."
