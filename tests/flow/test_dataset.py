"""Datasets made again as of then, verified, and compared, by commands as a user types them."""

import hashlib
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
import yaml

from agents.dataset.diff import changes
from agents.dataset.folder import manifest, read
from agents.dataset.recipe import now, then
from agents.dataset.verify import verified
from agents.materialize import materialize
from schemas import Decided, Generated, Materialized
from streams.curriculum import Phase, Split
from streams.errors import ConfigError, LogError
from streams.ids import digest
from streams.log.store import EmbeddedStore
from tests.events import materialized, put, reviewed, scored
from tests.lem import events, lem, rows
from tests.made import CURRICULUM, answered, contents, fill, made, phase, store_in

SPLIT = Split(train=50, valid=25, test=25)
OLD = phase(split=SPLIT, threshold=24.0)
NEW = phase(split=SPLIT, threshold=31.0)


def grow(store: EmbeddedStore) -> None:
    """Later events: more answers, another policy's decisions, a person's change of mind."""
    for n in range(12):
        known = answered(OLD, f"P{n}", score=25.0 + n)
        again = answered(NEW, f"P{n}", score=25.0 + n)
        put(store, *(fact for fact in again if fact not in known))
        # The scorer changed too, under its old name.
        answer = known[2]
        assert isinstance(answer, Generated)
        put(store, scored(answer, 99.0 - n, definition=digest("changed")))
    put(store, *answered(OLD, "P90", score=40.0), *answered(NEW, "P91", score=40.0))
    gate = answered(OLD, "P5", score=30.0)[4]
    assert isinstance(gate, Decided)
    put(store, reviewed(gate, "rejected", note="Cold."))


@pytest.fixture
def first(tmp_path: Path) -> tuple[Path, Materialized, Path]:
    """A home whose log went on after its dataset was made: home, manifest, folder."""
    home = tmp_path / "home"
    with store_in(home) as store:
        fill(store, (answered(OLD, f"P{n}", score=25.0 + n) for n in range(12)))
        told, folder = made(store, home, OLD)
        grow(store)
    return home, told, folder


def test_as_of_a_manifest_the_bytes_are_those_of_then(
    first: tuple[Path, Materialized, Path], tmp_path: Path
) -> None:
    home, told, folder = first
    before = contents(folder)
    with store_in(home) as store:
        _, later = materialize(store, home, now(OLD), out=tmp_path / "later")
        _, again = materialize(store, home, then(told), out=tmp_path / "again")

    assert contents(later) != before
    assert contents(again) == before


def test_as_of_it_on_a_copy_of_the_log_elsewhere(
    first: tuple[Path, Materialized, Path], tmp_path: Path
) -> None:
    home, _, folder = first
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(home / "log.db", other / "log.db")
    with store_in(other) as store:
        _, again = materialize(store, other, then(read(folder)))

    assert contents(again) == contents(folder)


def test_as_of_it_by_command_whatever_the_curriculum_says_now(
    first: tuple[Path, Materialized, Path], tmp_path: Path
) -> None:
    home, told, folder = first
    before = contents(folder)
    found = yaml.safe_load(CURRICULUM.read_text())
    found["phases"] = {"demo": found["phases"]["demo"]}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(found))
    settings = {"LEM_CURRICULUM": str(tmp_path / "other.yaml")}
    out = tmp_path / "again"

    for said in (told.id[:8], str(folder), str(folder / "manifest.json")):
        lem(home, "materialize", "--as-of", said, "--out", str(out), env=settings)
        assert contents(out) == before
        shutil.rmtree(out)
    assert len(events(home, "datasets")) == 1
    refused = lem(home, "materialize", "--as-of", told.id[:8], "--phase", "2", status=1)
    assert "is of phase 1, not 2" in refused.stderr


def test_as_of_offsets_or_a_time_the_log_is_read_so_far(
    first: tuple[Path, Materialized, Path], tmp_path: Path
) -> None:
    home, told, _ = first
    with store_in(home) as store:
        (record,) = store.read("generations", 0, offset=12, limit=1)
    said = ",".join(f"{p.topic}:{p.partition}={p.end}" for p in told.positions)
    out = str(tmp_path / "again")

    lem(home, "materialize", "--phase", "1", "--as-of", said, "--out", out)
    assert read(tmp_path / "again").positions == told.positions
    assert read(tmp_path / "again").generations != ()
    at = datetime.fromtimestamp(record.at_ms / 1000, UTC).isoformat()
    lem(home, "materialize", "--phase", "1", "--as-of", at, "--out", out)
    ends = {p.topic: p.end for p in read(tmp_path / "again").positions}
    assert 0 < ends["generations"] <= 12
    for wrong, why in (
        (re.sub("generations:0=[0-9]+", "generations:0=99999", said), "read up to 99999"),
        ("generations:7=1", "no place on the log"),
        ("generations:0=5", "Name every topic"),
        ("yesterday", "no time, no offsets"),
        ("abcdef01", "No datasets"),
        ("2001-01-01", "None of the 0 generations"),
    ):
        refused = lem(home, "materialize", "--phase", "1", "--as-of", wrong, status=1)
        assert why in refused.stderr
    assert "Which phase?" in lem(home, "materialize", status=1).stderr


def test_a_log_that_went_another_way_gives_no_such_dataset(
    first: tuple[Path, Materialized, Path], tmp_path: Path
) -> None:
    _, told, folder = first
    other = tmp_path / "other"
    with store_in(other) as store:
        fill(store, (answered(OLD, f"P{n}", score=25.5 + n) for n in range(12)))
        with pytest.raises(LogError, match="does not give dataset"):
            materialize(store, other, then(told))
        states = {f.file: (f.state, f.row) for f in verified(store, other, told, folder)}
    assert not (other / "datasets").exists() or not list((other / "datasets").iterdir())
    assert states["train.jsonl"] == ("other log", 1)
    assert states["README.md"][0] == "other log"


def test_what_was_made_is_verified(first: tuple[Path, Materialized, Path]) -> None:
    home, told, folder = first

    by_id = rows(lem(home, "dataset", "verify", told.id[:8], "--json"))
    by_folder = rows(lem(home, "dataset", "verify", str(folder), "--json"))
    shutil.rmtree(folder)
    from_the_log = rows(lem(home, "dataset", "verify", told.id[:8], "--json"))

    assert by_id == by_folder == from_the_log
    assert {row["state"] for row in by_id} == {"as made"}
    assert len(by_id) == len(told.files) + len(told.copies) + 1


def test_a_changed_file_is_told_from_a_sound_log(first: tuple[Path, Materialized, Path]) -> None:
    home, _, folder = first
    lines = (folder / "train.jsonl").read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"Answer", b"Answers")
    (folder / "train.jsonl").write_bytes(b"".join(lines))
    (folder / "data" / "train-00000-of-00001.parquet").write_bytes(b"no parquet")
    (folder / "README.md").unlink()

    found = rows(lem(home, "dataset", "verify", str(folder), "--json", status=1))
    said = {row["file"]: (row["state"], row["row"]) for row in found}

    assert said["train.jsonl"] == ("changed", 2)
    assert said["data/train-00000-of-00001.parquet"] == ("changed", None)
    assert said["README.md"] == ("missing", None)
    assert {said[name] for name in ("valid.jsonl", "test.jsonl", "manifest.json")} == {
        ("as made", None)
    }


def test_a_manifest_that_was_changed_is_told(first: tuple[Path, Materialized, Path]) -> None:
    home, told, folder = first
    changed = msgspec.structs.replace(told, generations=told.generations[1:])
    (folder / "manifest.json").write_bytes(manifest(changed))
    with store_in(home) as store:
        one = verified(store, home, changed, folder)[-1]
        other = verified(store, home, msgspec.structs.replace(told, policy="0" * 64), folder)[-1]

    assert (one.file, one.state) == ("manifest.json", "other log")
    assert "generations" in one.said
    assert (other.file, other.state) == ("manifest.json", "changed")


def test_another_writer_of_parquet_is_no_difference(
    first: tuple[Path, Materialized, Path],
) -> None:
    home, told, folder = first
    name = "data/train-00000-of-00001.parquet"
    pq.write_table(pq.read_table(folder / name), folder / name, compression="snappy")
    changed = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    recipe = msgspec.json.decode(told.recipe or "") | {"writer": "pyarrow 1.0"}
    copies = [
        msgspec.structs.replace(file, sha256=changed) if file.name == name else file
        for file in told.copies
    ]
    other = msgspec.structs.replace(
        told,
        copies=tuple(copies),
        recipe=msgspec.json.encode(recipe, order="deterministic").decode(),
    )
    with store_in(home) as store:
        states = {f.file: f for f in verified(store, home, other, folder)}

    assert states[name].state == "same rows"
    assert all(each.is_sound for each in states.values())


def test_a_dataset_of_before_recipes_says_so(first: tuple[Path, Materialized, Path]) -> None:
    home, told, _ = first
    old = materialized()
    with store_in(home) as store:
        put(store, old)

    refused = lem(home, "dataset", "verify", old.id[:8], status=1)
    listed = rows(lem(home, "dataset", "list", "--json"))

    assert "made before manifests held their recipe" in refused.stderr
    assert {row["dataset"]: row["can_be_remade"] for row in listed} == {
        told.id: True,
        old.id: False,
    }
    with pytest.raises(ConfigError, match="before manifests held"):
        then(old)


def differences(
    store: EmbeddedStore, home: Path, one: Materialized, two: Phase
) -> dict[tuple[str, str], list[Any]]:
    other, _ = made(store, home, two)
    found: dict[tuple[str, str], list[Any]] = {}
    for each in changes(store, home, one, other):
        found.setdefault((each.change, each.rule), []).append(each)
    return found


def test_a_difference_says_which_rule_each_row_came_and_went_by(
    first: tuple[Path, Materialized, Path],
) -> None:
    home, told, _ = first
    with store_in(home) as store:
        stricter = differences(store, home, told, NEW)
        reviewed_ = differences(store, home, told, OLD)
        moved = differences(store, home, told, phase(split=Split(train=10, valid=80, test=10)))
        mixed = differences(
            store, home, told, phase(split=SPLIT, mix={"canned:answers.jsonl": 0.4})
        )

    assert {key: len(found) for key, found in stricter.items()} == {
        ("went", "threshold"): 6,
        ("came", "new"): 1,
    }
    assert {key: len(found) for key, found in reviewed_.items()} == {
        ("went", "review"): 1,
        ("came", "new"): 1,
    }
    assert "Cold." in reviewed_["went", "review"][0].reason
    assert ("moved", "split") in moved
    assert ("went", "mix") in mixed


def test_a_difference_is_told_by_command(first: tuple[Path, Materialized, Path]) -> None:
    home, told, _ = first
    with store_in(home) as store:
        other, _ = made(store, home, OLD)

    table = lem(home, "dataset", "diff", told.id[:8], other.id[:8]).stdout
    found = rows(lem(home, "dataset", "diff", told.id[:8], other.id[:8], "--json"))

    assert "came" in table
    assert {(row["change"], row["rule"]) for row in found} == {("went", "review"), ("came", "new")}
    nothing = lem(home, "dataset", "diff", told.id[:8], told.id[:8], "--json")
    assert nothing.stdout == ""
