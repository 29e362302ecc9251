"""Answers from a file: which one, how it is cut, and what a bad file is answered with."""

from pathlib import Path

import pytest

from agents.models import check, open_model
from agents.models.canned import CannedModel
from streams.errors import ModelError, ModelSilent
from tests.models import asking


def canned(folder: Path, *lines: str) -> CannedModel:
    file = folder / "answers.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return CannedModel(str(file))


def test_the_first_line_that_fits_answers(tmp_path: Path) -> None:
    model = canned(
        tmp_path,
        '{"prompt": "consent", "responses": ["first"]}',
        "",
        '{"prompt": "What", "responses": ["second"]}',
        '{"prompt": "*", "responses": ["last"]}',
    )
    prompts = ["What is consent?", "What is it?", "Why?"]

    assert [model.answer(asking(prompt)).text for prompt in prompts] == ["first", "second", "last"]


def test_the_seed_counts_through_the_responses(tmp_path: Path) -> None:
    model = canned(tmp_path, '{"prompt": "*", "responses": ["a", "b", "c"]}')

    assert [model.answer(asking(seed=seed)).text for seed in range(5)] == ["a", "b", "c", "a", "b"]


def test_a_prompt_that_no_line_fits_gets_silence(tmp_path: Path) -> None:
    model = canned(tmp_path, '{"prompt": "consent", "responses": ["yes"]}')

    with pytest.raises(ModelSilent, match='no answer for "Why'):
        model.answer(asking("Why?"))


def test_a_cut_keeps_the_spaces(tmp_path: Path) -> None:
    model = canned(tmp_path, r'{"prompt": "*", "responses": [" one\n two  three four"]}')
    answer = model.answer(asking(max_tokens=3))

    assert (answer.text, answer.finish_reason) == (" one\n two  three", "length")
    assert answer.completion_tokens == 3


def test_a_line_says_how_its_answer_ends_and_how_long_it_takes(tmp_path: Path) -> None:
    line = '{"prompt": "*", "responses": ["x"], "finish_reason": "length", "delay_s": 0.01}'
    answer = canned(tmp_path, line).answer(asking())

    assert (answer.finish_reason, answer.decode_s) == ("length", 0.01)


def test_control_tokens_in_an_answer_are_named(tmp_path: Path) -> None:
    model = canned(tmp_path, '{"prompt": "*", "responses": ["yes<end_of_turn>"]}')

    assert model.answer(asking()).control_tokens == ("<end_of_turn>",)


def test_another_file_is_another_revision(tmp_path: Path) -> None:
    revisions = [
        canned(tmp_path, line).answer(asking()).revision
        for line in ('{"prompt": "*", "responses": ["a"]}', '{"prompt": "*", "responses": ["b"]}')
    ]

    assert revisions[0] != revisions[1]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        '{"prompt": "*"}',
        '{"prompt": "*", "responses": []}',
        '{"prompt": "*", "responses": ["a"], "delay_s": -1}',
        '{"prompt": "*", "responses": ["a"], "seed": 1}',
    ],
)
def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(f'{{"prompt": "*", "responses": ["a"]}}\n{line}\n', encoding="utf-8")

    with pytest.raises(ModelError, match=rf"{file}:2 is no canned answer"):
        check(f"canned:{file}")


def test_an_empty_file_holds_no_answers(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n", encoding="utf-8")

    with pytest.raises(ModelError, match="holds no answers"):
        open_model(f"canned:{tmp_path / 'empty.jsonl'}")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_is_no_text_can_not_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "answers.jsonl"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ModelError, match="can't be read"):
        open_model(f"canned:{file}")
