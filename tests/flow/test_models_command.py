"""`lem models`, for a person and for a script."""

from pathlib import Path

from agents.models.tiny import build
from tests.lem import lem, rows


def test_what_lies_on_this_machine_is_told_behind_what_is_recommended(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lem(home, "model", "tiny")
    env = {"HF_HUB_CACHE": str(tmp_path / "hub")}

    found = rows(lem(home, "models", "--json", env=env))

    assert [row["parameters"] for row in found] == ["1B", "4B", "12B", "27B", None]
    assert [row["is_whole"] for row in found] == [False] * 4 + [True]
    assert found[-1]["model"] == f"mlx:{home / 'models' / 'tiny'}"
    assert found[-1]["fits"]


def test_a_person_reads_memory_and_what_a_model_lacks(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = build(home / "models" / "mine")
    (folder / "config.json").unlink()

    said = lem(home, "models", env={"HF_HUB_CACHE": str(tmp_path / "hub")}).stdout

    assert said.startswith("This machine has ")
    (large,) = [line.split() for line in said.splitlines() if "gemma-3-27b" in line]
    assert large[1:5] == ["27B", "-", "32.0", "GB"]
    assert "no config.json" in said
