"""`lem score`, as a user runs it."""

import json
import subprocess
from pathlib import Path

import pytest

from agents.scorers import scorer
from tests.lem import command, environment, lem, refusal, rows

TEXTS = ["However, I can't say.", "", "שלום <b>world</b> 😀", "x" * 100_000]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def scored(home: Path, *arguments: str, said: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        command("score", *arguments),
        env=environment(home),
        input=said,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("label", ["lek@2", "grammar@3"])
def test_each_line_is_scored_in_its_place(home: Path, tmp_path: Path, label: str) -> None:
    path = tmp_path / "answers.jsonl"
    lines = [{"response": text, "prompt": "Why?", "id": n} for n, text in enumerate(TEXTS)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    found = rows(lem(home, "score", str(path), "--scorer", label))

    expected = [scorer(label).one(text, "Why?") for text in TEXTS]
    assert [row["id"] for row in found] == [0, 1, 2, 3]
    assert [(row["score"], row["signals"]) for row in found] == [
        (one.score, one.signals) for one in expected
    ]


def test_a_bad_line_is_told_in_its_place_and_costs_no_other(home: Path) -> None:
    lines = b'{"response": "one"}\n{"answer": "two"}\nthree\n\xff\n{"response": "five"}\n'

    done = scored(home, "-", "--scorer", "lek@2", said=lines)

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert ["score" in row for row in found] == [True, False, False, False, True]
    assert [row["error"].split(" is")[0] for row in found if "error" in row] == [
        "line 2",
        "line 3",
        "line 4",
    ]


def test_plain_text_on_standard_input_is_one_text(home: Path) -> None:
    done = scored(home, "--scorer", "lek@2", said=b"However,\n\nyes.")

    assert json.loads(done.stdout)["signals"]["engagement_depth"] == 2


def test_what_fired_is_shown_in_the_text(home: Path) -> None:
    done = scored(home, "--scorer", "lek@2", "--explain", said=b"However, I can't say why.")

    assert b'compliance_markers 1  "I can\'t"' in done.stdout
    assert b"nuance 1  'However'" in done.stdout


def test_a_file_that_is_not_there_is_told(home: Path) -> None:
    said = refusal(home, "score", "none.jsonl", "--scorer", "lek@2")

    assert "none.jsonl can't be read" in said
