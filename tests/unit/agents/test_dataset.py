"""A dataset's files: whole or not there, the same bytes from the same rows."""

import hashlib
import json
from pathlib import Path

import pytest

from agents.dataset import Row, line, publish, scratch, write
from streams.curriculum import Split
from streams.errors import LogError

SPLIT = Split(train=50, valid=25, test=25)


def row(number: int, **fields: str) -> Row:
    found = {
        "generation": f"g{number}",
        "run": "r",
        "probe": f"P{number}_R_PERS",
        "original": f"P{number}",
        "prompt": "Why?",
        "response": " Because. \n",
    }
    return Row(**(found | fields))


def test_a_line_is_what_mlx_lm_reads(tmp_path: Path) -> None:
    found = json.loads(line(row(1)))

    assert found["messages"] == [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
    ]
    assert not {"prompt", "completion", "text"} & set(found)


def test_mlx_lm_takes_the_rows_for_chat(tmp_path: Path) -> None:
    from mlx_lm.tuner.datasets import ChatDataset, create_dataset

    class Config:
        mask_prompt = False

    rows = [json.loads(line(row(1)))]
    found = create_dataset(rows, None, Config())  # type: ignore[arg-type]  # chat needs none yet

    assert isinstance(found, ChatDataset)


def test_every_row_is_written_once_and_counted(tmp_path: Path) -> None:
    files, generations = write([row(n) for n in range(40)], SPLIT, tmp_path)

    assert [file.name for file in files] == ["test.jsonl", "train.jsonl", "valid.jsonl"]
    assert sum(file.rows for file in files) == 40
    assert generations == [f"g{n}" for n in range(40)]
    for file in files:
        content = (tmp_path / file.name).read_bytes()
        assert content.count(b"\n") == file.rows
        assert hashlib.sha256(content).hexdigest() == file.sha256


def test_rephrasings_of_a_probe_stand_on_one_side(tmp_path: Path) -> None:
    rows = [row(n, original=f"P{n % 7}") for n in range(70)]
    write(rows, SPLIT, tmp_path)

    sides: dict[str, set[str]] = {}
    for path in tmp_path.glob("*.jsonl"):
        for found in map(json.loads, path.read_text().splitlines()):
            original = f"P{int(found['generation'][1:]) % 7}"
            sides.setdefault(original, set()).add(path.name)
    assert len(sides) == 7
    assert all(len(side) == 1 for side in sides.values())


def test_an_empty_phase_has_three_empty_files(tmp_path: Path) -> None:
    files, _ = write([], SPLIT, tmp_path)

    assert [file.rows for file in files] == [0, 0, 0]


def test_a_failure_leaves_the_dataset_of_before(tmp_path: Path) -> None:
    target = tmp_path / "set"
    with scratch(tmp_path) as folder:
        write([row(1)], SPLIT, folder)
        (folder / "manifest.json").write_text("{}")
        publish(folder, target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def rows() -> object:
        yield row(2)
        raise OSError(28, "No space left on device")

    with pytest.raises(LogError, match="make room"), scratch(tmp_path) as folder:
        write(rows(), SPLIT, folder)  # type: ignore[arg-type]  # ends in an error

    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_what_stands_beside_the_files_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "set"
    for number in (1, 2):
        with scratch(tmp_path) as folder:
            write([row(number)], SPLIT, folder)
            (folder / "manifest.json").write_text(str(number))
            publish(folder, target)
        (target / "notes.txt").write_text("mine")

    assert (target / "manifest.json").read_text() == "2"
    assert (target / "notes.txt").read_text() == "mine"
