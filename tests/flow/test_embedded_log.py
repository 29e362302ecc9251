"""What only the log in a file promises: nothing in it changes, and another file is left alone."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from streams.errors import LogError
from streams.log.group import held
from streams.log.records import Draft
from streams.log.store import EmbeddedStore


def opened(path: Path) -> EmbeddedStore:
    store = EmbeddedStore(path)
    store.declare("probes", 1)
    return store


def values(store: EmbeddedStore) -> list[bytes | None]:
    return [record.value for record in store.scan("probes", 0)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def log(path: Path) -> Iterator[EmbeddedStore]:
    store = opened(path)
    yield store
    store.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can reach, unlike those of pytest."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


@pytest.mark.parametrize(
    "statement",
    [
        "update records set value = 'other'",
        "update records set offset = 7 where offset = 0",
        "delete from records",
        "delete from records where offset = 0",
    ],
)
def test_a_record_is_never_changed_by_any_program(
    log: EmbeddedStore, path: Path, statement: str
) -> None:
    log.append([Draft("probes", b"as it was")])

    with (
        closing(sqlite3.connect(path)) as other,
        pytest.raises(sqlite3.IntegrityError, match="append a further event"),
    ):
        other.execute(statement)

    assert values(log) == [b"as it was"]


def test_a_log_of_a_newer_format_is_refused_with_both_numbers(path: Path) -> None:
    opened(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("pragma user_version = 7")

    with pytest.raises(LogError, match=r"log\.db has log format 7; this lem reads up to 1\. Upgr"):
        EmbeddedStore(path)


@pytest.mark.parametrize("content", [b"probes\n", b"no log of lem " * 1000])
def test_a_file_that_is_no_database_is_refused_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(LogError, match=r"not a database\. Keep the file, and set LEM_HOME to"):
        EmbeddedStore(path)

    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "mark",
    [
        "create table records (id)",
        "pragma application_id = 7",
        "create table t (id); pragma user_version = 70",
    ],
)
def test_a_database_that_is_no_log_is_refused_and_kept(path: Path, mark: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.executescript(mark)
    content = path.read_bytes()

    with pytest.raises(LogError, match=r"is a database, but no log of lem\. Set LEM_HOME"):
        EmbeddedStore(path)

    assert path.read_bytes() == content


def test_a_log_that_was_cut_off_is_told(path: Path) -> None:
    with closing(opened(path)) as store:
        store.append([Draft("probes", bytes(100_000))])
    os.truncate(path, path.stat().st_size // 2)

    with pytest.raises(LogError, match=r"malformed.* Keep the file"):
        EmbeddedStore(path)


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user whom file modes bind; root they don't."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_that_cannot_be_written_to_is_told(folder: Path, is_there: bool) -> None:
    path = folder / "log.db"
    if is_there:
        opened(path).close()
    folder.chmod(0o555)

    with unprivileged(), pytest.raises(LogError, match=rf"^{path}: can't open .* LEM_HOME names"):
        EmbeddedStore(path)
    with unprivileged(), pytest.raises(LogError, match="LEM_HOME names"), held(path, "lem"):
        pass


def test_a_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    folder.chmod(0o555)

    with unprivileged(), pytest.raises(LogError, match=r"Permission denied.* LEM_HOME names"):
        EmbeddedStore(folder / "more" / "log.db")


def test_an_append_with_its_offsets_is_written_whole_or_not_at_all(log: EmbeddedStore) -> None:
    log.declare("scores", 1)
    log.append([Draft("probes", b"a")], group="g", offsets={("scores", 0): 1})

    with pytest.raises(LogError, match='no topic "nowhere"'):
        log.append(
            [Draft("probes", b"b"), Draft("nowhere", b"c")], group="g", offsets={("scores", 0): 2}
        )

    assert values(log) == [b"a"]
    assert log.committed("g") == {("scores", 0): 1}
