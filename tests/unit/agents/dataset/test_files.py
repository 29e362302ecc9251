"""A dataset's files: whole or not there, one schema, the same bytes from the same rows."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agents.dataset import files
from agents.dataset.files import GROUP, PARQUET, schema, write
from agents.dataset.folder import publish, read, scratch
from agents.dataset.tally import words
from streams.errors import ConfigError, LogError
from tests.made import answered, fill, made, phase, rows, store_in

KEYS = ["messages", *schema().names[1:-1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of sixty rows, which tests only read."""
    home = tmp_path_factory.mktemp("home")
    under = phase()
    with store_in(home) as store:
        fill(store, (answered(under, f"P{n:02}", domain=f"D{n % 3}") for n in range(60)))
        return made(store, home, under)[1]


def test_rows_are_chats_with_the_same_keys_and_types(folder: Path) -> None:
    found = [row for split in rows(folder).values() for row in split]

    assert len(found) == 60
    assert {tuple(row) for row in found} == {tuple(KEYS)}
    assert {type(value) for row in found for value in row.values()} == {list, str, float}
    assert {tuple(turn["role"] for turn in row["messages"]) for row in found} == {
        ("user", "assistant")
    }
    assert all(
        row["messages"][1]["content"].strip() == row["messages"][1]["content"] for row in found
    )


def test_mlx_lm_takes_the_rows_for_chat(folder: Path) -> None:
    from mlx_lm.tuner.datasets import ChatDataset, load_local_dataset

    class Config:
        mask_prompt = True

    found = load_local_dataset(folder, None, Config())  # type: ignore[arg-type]  # chat needs none

    assert {type(split) for split in found} <= {ChatDataset, list}
    assert isinstance(found[0], ChatDataset)


def test_parquet_holds_the_same_rows_under_the_schema_that_is_told(folder: Path) -> None:
    ours = rows(folder)

    for split, path in PARQUET.items():
        table = pq.read_table(folder / path)
        assert table.schema.equals(schema())
        assert not any(column.null_count for column in table.columns)
        assert [{k: v for k, v in row.items() if k != "metadata"} for row in table.to_pylist()] == (
            ours[split]
        )
        metadata = table.column("metadata").to_pylist()
        assert {msgspec.json.decode(str(each))["run"] for each in metadata} <= {
            "distill-1-0123456789ab"
        }


def test_parquet_is_compressed_with_zstd(folder: Path) -> None:
    group = pq.ParquetFile(folder / PARQUET["train"]).metadata.row_group(0)

    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}


def test_duckdb_opens_all_of_it_unchanged(folder: Path) -> None:
    with duckdb.connect() as db:
        parquet = db.execute(f"select count(*) from '{folder}/data/*.parquet'").fetchall()
        lines = db.execute(f"select count(*) from read_json('{folder}/*.jsonl')").fetchall()

    assert parquet == lines == [(60,)]


def test_the_card_names_every_split_that_has_rows_for_the_hub(folder: Path) -> None:
    _, front, _ = (folder / "README.md").read_text().split("---\n", 2)
    told = yaml.safe_load(front)
    (config,) = told["configs"]

    assert told["license"] == "eupl-1.2"
    assert told["language"] == ["en"]
    for each in config["data_files"]:
        assert pq.read_metadata(folder / each["path"]).num_rows > 0
    counted = sum(pq.read_metadata(folder / each["path"]).num_rows for each in config["data_files"])
    assert counted == 60


def test_the_hubs_library_loads_it(folder: Path, tmp_path: Path) -> None:
    import datasets  # type: ignore[import-untyped]  # slow to import, too

    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))

    assert sum(len(split) for split in found.values()) == 60


def test_the_manifest_tells_every_other_file_and_is_read_again(folder: Path) -> None:
    told = read(folder)
    stand = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}

    assert stand == {file.name for file in (*told.files, *told.copies)} | {"manifest.json"}
    for file in (*told.files, *told.copies):
        assert hashlib.sha256((folder / file.name).read_bytes()).hexdigest() == file.sha256
    assert [check.name for check in told.checks] == ["kernel_leak", "contamination"]
    assert {check.rows for check in told.checks} == {60}
    assert len(told.generations) == 60


def test_generations_are_told_file_after_file(folder: Path) -> None:
    found = [
        row["generation"] for split in ("test", "train", "valid") for row in rows(folder)[split]
    ]

    assert found == list(read(folder).generations)


def batch(count: int, split: str = "train", start: int = 0) -> pa.RecordBatch:
    numbers = range(start, start + count)
    texts = {name: [f"{name} {n}" for n in numbers] for name in ("prompt", "response")}
    same = dict.fromkeys(("probe", "original", "variant", "domain", "language", "model"), "x")
    about = dict.fromkeys(("run", "set", "voice", "region", "kernel"), "y")
    return pa.RecordBatch.from_pylist(
        [
            {
                "split": split,
                "generation": f"g{n}",
                "score": n / 2,
                "sample": n,
                **same,
                **about,
                **{name: values[n - start] for name, values in texts.items()},
            }
            for n in numbers
        ]
    )


def written(folder: Path, batches: list[pa.RecordBatch]) -> Any:
    folder.mkdir()
    return write(batches, folder, lambda rows: None)


def test_bytes_follow_from_the_rows_not_from_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "GROUP", 32)

    one = written(tmp_path / "one", [batch(100)])
    many = written(
        tmp_path / "many", [batch(7, start=n) for n in range(0, 98, 7)] + [batch(2, start=98)]
    )

    assert one.files == many.files
    assert one.copies == many.copies
    assert pq.ParquetFile(tmp_path / "one" / PARQUET["train"]).metadata.num_row_groups == 4


def test_a_batch_may_hold_the_end_of_a_split_and_the_next_one(tmp_path: Path) -> None:
    both = pa.Table.from_batches([batch(3, "test"), batch(4, "train", 3)]).combine_chunks()

    done = written(tmp_path / "set", both.to_batches())

    assert {file.name: file.rows for file in done.files} == {
        "test.jsonl": 3,
        "train.jsonl": 4,
        "valid.jsonl": 0,
    }


def test_no_rows_make_files_without_rows(tmp_path: Path) -> None:
    done = written(tmp_path / "set", [])

    assert [file.rows for file in (*done.files, *done.copies)] == [0] * 6
    assert pq.read_table(tmp_path / "set" / PARQUET["valid"]).schema.equals(schema())


def test_a_group_is_small_enough_to_be_held() -> None:
    assert GROUP <= 10_000


@given(st.lists(st.text(st.characters(codec="ascii")), max_size=8), st.integers(0, 4))
def test_words_are_what_blanks_part(texts: list[str], start: int) -> None:
    shown = [text.translate({n: " " for n in range(32)}) for text in texts]
    given_texts = pa.array(shown, pa.string()).slice(start)

    counts = [len([part for part in text.split(" ") if part]) for text in shown[start:]]
    assert words(given_texts).tolist() == counts


def test_a_failure_leaves_the_dataset_of_before(tmp_path: Path) -> None:
    target = tmp_path / "set"
    with scratch(tmp_path) as new:
        write([batch(1)], new, lambda rows: None)
        publish(new, target)
    before = {path.name: path.read_bytes() for path in target.rglob("*") if path.is_file()}

    def fails() -> Any:
        yield batch(1, start=1)
        raise OSError(28, "No space left on device")

    with pytest.raises(LogError, match="make room"), scratch(tmp_path) as new:
        write(fails(), new, lambda rows: None)

    after = {path.name: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def published(target: Path, number: int) -> None:
    """A dataset of so many rows, put into this folder."""
    with scratch(target.parent) as new:
        write([batch(number)], new, lambda rows: None)
        (new / "manifest.json").write_text(str(number))
        publish(new, target)


def test_what_stands_beside_the_files_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "set"
    for number in (1, 2):
        published(target, number)
        (target / "notes.txt").write_text("mine")

    assert (target / "manifest.json").read_text() == "2"
    assert (target / "notes.txt").read_text() == "mine"
    assert pq.read_metadata(target / PARQUET["train"]).num_rows == 2
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_crash_between_two_files_leaves_no_manifest(tmp_path: Path) -> None:
    target = tmp_path / "set"
    published(target, 1)
    in_the_way = target / "train.jsonl"  # no file takes the place of a folder that holds something
    in_the_way.unlink()
    (in_the_way / "full").mkdir(parents=True)

    with pytest.raises(LogError, match="can't write the dataset"):
        published(target, 2)

    assert pq.read_metadata(target / PARQUET["train"]).num_rows == 2  # some files are new
    assert not (target / "manifest.json").exists()
    shutil.rmtree(in_the_way)
    published(target, 3)
    assert (target / "manifest.json").read_text() == "3"
    assert len(in_the_way.read_bytes().splitlines()) == 3


def test_what_is_no_manifest_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[1]")

    with pytest.raises(ConfigError, match="is no manifest"):
        read(tmp_path)
    with pytest.raises(ConfigError, match="no manifest can be read there"):
        read(tmp_path / "elsewhere")
