"""The copy: written once, rebuilt at will, never trusted blindly, never needed."""

import logging
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from streams import parquet, replay
from streams.config import Settings
from streams.curriculum import load
from streams.envelope import draft
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests import events

FILE = 8
PROBES = [events.probed(f"P{number:02}") for number in range(2 * FILE + 3)]


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "FILE_RECORDS", FILE)


@pytest.fixture
def home(settings: Settings) -> Path:
    return settings.home_path


@pytest.fixture
def filled(store: EmbeddedStore) -> EmbeddedStore:
    """Two files' worth of probes, and three that no file holds."""
    events.put(store, *PROBES)
    return store


def asked(store: EmbeddedStore, home: Path, query: str, **more: Any) -> list[tuple[Any, ...]]:
    with replay.opened(store, home, **more) as views:
        return views.db.execute(query).fetchall()


def probes(store: EmbeddedStore, home: Path) -> list[str]:
    return [probe for (probe,) in asked(store, home, 'select probe from probes order by "offset"')]


def files(home: Path) -> dict[str, bytes]:
    root = home / "columns"
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(found)}


def names(of: Sequence[Any]) -> list[str]:
    return [event.probe for event in of]


def test_the_view_holds_what_is_copied_and_what_is_not_yet(
    filled: EmbeddedStore, home: Path
) -> None:
    assert probes(filled, home) == names(PROBES)
    assert list(files(home)) == [
        "probes/0/000000000000-000000000007.parquet",
        "probes/0/000000000008-000000000015.parquet",
    ]


def test_a_file_is_written_once(filled: EmbeddedStore, home: Path) -> None:
    probes(filled, home)
    first = {path: path.stat().st_mtime_ns for path in (home / "columns").rglob("*.parquet")}
    events.put(filled, *(events.probed(f"Q{number}") for number in range(FILE)))
    probes(filled, home)
    then = {path: path.stat().st_mtime_ns for path in (home / "columns").rglob("*.parquet")}

    assert len(then) == 3
    assert {path: then[path] for path in first} == first


def test_the_copy_can_be_deleted_and_comes_back_the_same(filled: EmbeddedStore, home: Path) -> None:
    first, made = probes(filled, home), files(home)
    for path in (home / "columns").rglob("*.parquet"):
        path.unlink()

    assert probes(filled, home) == first
    assert files(home) == made


def test_two_homes_hold_the_same_files(filled: EmbeddedStore, home: Path, tmp_path: Path) -> None:
    """Processes that copy one log at once write the same bytes under the same name."""
    probes(filled, home)
    probes(filled, tmp_path / "other")

    assert files(home) == files(tmp_path / "other")


@pytest.mark.parametrize("left", [0, 4, 100, -1])
def test_a_broken_file_is_told_and_written_again(
    filled: EmbeddedStore, home: Path, caplog: pytest.LogCaptureFixture, left: int
) -> None:
    probes(filled, home)
    path = next((home / "columns").rglob("*0007.parquet"))
    sound = path.read_bytes()
    path.write_bytes(sound[:left])

    assert probes(filled, home) == names(PROBES)
    assert path.read_bytes() == sound
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text


@pytest.mark.parametrize("rows", [0, 5])
def test_a_file_with_rows_missing_is_told_and_written_again(
    filled: EmbeddedStore, home: Path, caplog: pytest.LogCaptureFixture, rows: int
) -> None:
    probes(filled, home)
    path = next((home / "columns").rglob("*0007.parquet"))
    pq.write_table(pq.read_table(path).slice(0, rows), path)

    assert probes(filled, home) == names(PROBES)
    assert f"{rows} rows of {FILE}" in caplog.text


def test_a_file_of_someone_else_is_told_and_written_again(
    filled: EmbeddedStore, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    probes(filled, home)
    path = next((home / "columns").rglob("*0007.parquet"))
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)

    assert probes(filled, home) == names(PROBES)
    assert "no sound part" in caplog.text


def test_a_log_begun_again_does_not_show_the_old_ones_events(
    filled: EmbeddedStore, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its first events have the ids of the old ones, for ids follow from content."""
    probes(filled, home)
    again = EmbeddedStore(tmp_path / "again.db")
    for topic in TOPICS:
        again.declare(topic, 1)
    other = [*PROBES[:4], *(events.probed(f"N{number}") for number in range(FILE))]
    events.put(again, *other)

    assert probes(again, home) == names(other)
    assert "another log" in caplog.text
    assert len(files(home)) == 2

    again.close()


def test_files_beyond_the_end_of_a_shorter_log_are_not_read(
    filled: EmbeddedStore, home: Path, tmp_path: Path
) -> None:
    probes(filled, home)
    shorter = EmbeddedStore(tmp_path / "shorter.db")
    shorter.declare("probes", 1)
    events.put(shorter, PROBES[0])

    assert probes(shorter, home) == names(PROBES[:1])

    shorter.close()


def test_a_folder_that_cannot_be_written_does_not_stop_reading(
    filled: EmbeddedStore, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "columns").write_text("a file, where the folder should be")

    assert probes(filled, home) == names(PROBES)
    assert len(caplog.records) == 1
    assert "can't be written" in caplog.text


def test_a_half_written_file_does_not_stay(filled: EmbeddedStore, home: Path) -> None:
    """A folder stands where the file should go: it is written, but can't be renamed."""
    taken = home / "columns/probes/0/000000000000-000000000007.parquet"
    taken.mkdir(parents=True)
    (taken / "something").touch()

    assert probes(filled, home) == names(PROBES)
    assert [path for path in taken.parent.iterdir() if path.name.startswith(".")] == []


def test_every_partition_is_read(home: Path, tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "log.db")
    store.declare("probes", 3)
    asked_for = [events.probed(f"P{number:02}") for number in range(10 * FILE)]
    events.put(store, *asked_for)

    assert sorted(probes(store, home)) == names(asked_for)
    assert len({name.split("/")[1] for name in files(home)}) == 3

    store.close()


@pytest.mark.parametrize("bad_offset", [2, 2 * FILE + 3])
def test_what_is_no_event_is_left_out_and_listed(
    store: EmbeddedStore, home: Path, bad_offset: int
) -> None:
    """Once in a file and once in what is read from the log, and the second time as the first."""
    events.put(store, *PROBES[:bad_offset])
    store.append([Draft("probes", b"{")])
    events.put(store, *PROBES[bad_offset:])
    query = 'select topic, "partition", "offset", error from unreadable'

    (first,) = asked(store, home, query)
    (second,) = asked(store, home, query)

    assert first[:3] == ("probes", 0, bad_offset)
    assert f"probes[0]@{bad_offset} is not JSON" in first[3]
    assert first == second
    assert probes(store, home) == names(PROBES)


@pytest.mark.parametrize("partition", [0, 1])
def test_an_event_that_stands_twice_counts_where_it_stands_first(
    home: Path, tmp_path: Path, partition: int
) -> None:
    """The embedded log refuses an id that it has; another kind of log may not."""
    store = EmbeddedStore(tmp_path / "log.db")
    store.declare("probes", 2)
    plain = [draft(event)._replace(event_id=None, partition=0) for event in PROBES]
    store.append(plain)
    store.append([plain[3]._replace(partition=partition), plain[-1]])

    found = asked(store, home, 'select probe, "partition", "offset" from probes order by all')

    assert found == [(event.probe, 0, at) for at, event in enumerate(PROBES)]

    store.close()


def test_events_without_an_id_are_no_repeats(store: EmbeddedStore, home: Path) -> None:
    value = (draft(PROBES[0]).value or b"").replace(PROBES[0].id.encode(), b"")
    store.append([Draft("probes", value), Draft("probes", value)])

    assert probes(store, home) == [PROBES[0].probe] * 2


def test_an_empty_log_has_every_view(store: EmbeddedStore, home: Path) -> None:
    assert asked(store, home, "select count(*) from lineage") == [(0,)]
    assert asked(store, home, "select * from progress") == []


def test_the_positions_are_those_of_the_moment_of_opening(
    filled: EmbeddedStore, home: Path
) -> None:
    with replay.opened(filled, home) as views:
        events.put(filled, events.probed("later"))
        (count,) = views.db.execute("select count(*) from probes").fetchone() or (0,)

    assert count == len(PROBES)
    assert views.positions["probes", 0] == len(PROBES)


def test_a_second_cursor_sees_the_same(filled: EmbeddedStore, home: Path) -> None:
    """What is read in pieces while other queries run needs a cursor of its own."""
    with replay.opened(filled, home) as views:
        found = views.db.cursor().execute('select count(*), min("at") from probes').fetchall()

    assert found == [(len(PROBES), events.AT)]


def test_the_policies_in_force_are_a_table(
    store: EmbeddedStore, home: Path, settings: Settings
) -> None:
    curriculum = load(Path(settings.curriculum))
    found = asked(store, home, "from policies", policies=replay.policies(curriculum))

    assert [row[0] for row in found] == list(curriculum.phases)
    assert ("1", curriculum.phase("1").policy, "lek@2", 24.0, None) in found
    assert ("0", curriculum.phase("0").policy, "lek@2", None, None) in found


def test_no_database_file_is_made(filled: EmbeddedStore, home: Path) -> None:
    probes(filled, home)
    found = {path.name for path in home.iterdir()}

    assert {name for name in found if not name.startswith("log.db")} == {"columns"}


def test_importing_it_is_cheap() -> None:
    """Commands that ask no view must not wait for DuckDB and Arrow."""
    said = "import sys, streams.replay; print({'duckdb', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
