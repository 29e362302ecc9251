"""The tiny model: the same bytes each time, small, and ending its answers as often as it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.models import Answer, open_model, outcome, tiny
from streams.errors import ModelError
from tests.models import asking

BUILD = "import sys, pathlib; from agents.models import tiny; tiny.build(pathlib.Path(sys.argv[1]))"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    model = open_model(f"mlx:{tiny.build(tmp_path_factory.mktemp('models') / 'tiny')}")
    found = [model.answer(asking(f"What about {n}?", seed=n, temperature=0.9)) for n in range(60)]
    model.close()
    return found


def test_another_process_builds_the_same_bytes(tmp_path: Path) -> None:
    here = tiny.build(tmp_path / "here")
    environment = {**os.environ, "PYTHONHASHSEED": "17"}
    subprocess.run([sys.executable, "-c", BUILD, tmp_path / "there"], check=True, env=environment)

    assert contents(here) == contents(tmp_path / "there")


def test_another_seed_has_other_weights_and_the_same_words(tmp_path: Path) -> None:
    first = contents(tiny.build(tmp_path / "0"))
    second = contents(tiny.build(tmp_path / "1", seed=1))
    differing = {name for name in first if first[name] != second[name]}

    assert differing == {"model.safetensors"}


def test_words_come_from_the_corpus(tmp_path: Path) -> None:
    folder = tiny.build(tmp_path / "tiny", corpus=["the wombat and the wombat and the wombat"])

    assert "▁wombat" in json.loads((folder / "tokenizer.json").read_bytes())["model"]["vocab"]


def test_a_model_that_stands_there_is_left_alone(tmp_path: Path) -> None:
    folder = tiny.build(tmp_path / "tiny")
    before = contents(folder)
    tiny.build(folder, seed=1)

    assert contents(folder) == before


def test_an_empty_folder_is_filled_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    tiny.build(tmp_path / "tiny")

    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny"]
    assert (tmp_path / "tiny" / "model.safetensors").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(ModelError, match=r"has no config\.json"):
        tiny.build(tmp_path)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_it_is_tiny(tmp_path: Path) -> None:
    folder = tiny.build(tmp_path / "tiny")

    assert (folder / "model.safetensors").stat().st_size < 4 * 500_000


def test_about_half_of_the_answers_end_by_themselves(answers: list[Answer]) -> None:
    ended = sum(answer.finish_reason == "stop" for answer in answers)

    assert 0.3 * len(answers) <= ended <= 0.7 * len(answers)


def test_answers_are_words(answers: list[Answer]) -> None:
    text = "".join(answer.text for answer in answers)

    assert not [answer for answer in answers if outcome(answer) == "token_leak"]
    assert len(text.split()) > 600
    assert "\ufffd" not in text


def test_the_likeliest_answer_is_not_empty(tmp_path: Path) -> None:
    model = open_model(f"mlx:{tiny.build(tmp_path / 'tiny')}")
    answer = model.answer(asking(temperature=0.0))
    model.close()

    assert answer.text.strip()


def test_long_prompts_are_read(tmp_path: Path) -> None:
    model = open_model(f"mlx:{tiny.build(tmp_path / 'tiny')}")
    answer = model.answer(asking("Be kind to others and to yourself. " * 500))
    model.close()

    assert answer.prompt_tokens > 4000
    assert answer.completion_tokens > 0
