"""`lem expand`: what it asks of a trained model, in which order, and that it goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas import Generated, Requested, Started
from tests.lem import events, lem, refusal, rows

LONG = "What is owed to those who were never asked, number {}?"
GOOD = "I think that consent matters here, and I believe that nobody can give it for another."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"prompt": "*", "responses": [GOOD]}) + "\n")
    return f"canned:{path}"


def seeds(folder: Path, name: str, *found: dict[str, Any]) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(found))
    return str(path)


def seed(number: int, **fields: str) -> dict[str, str]:
    return {"id": f"E{number}", "domain": "law", "prompt": LONG.format(number), **fields}


def requests(home: Path) -> list[Requested]:
    return [e for e in events(home, "requests") if isinstance(e, Requested)]


def asked(home: Path) -> list[str]:
    return [each.probe for each in requests(home)]


def test_a_trained_model_is_asked_without_a_kernel_and_judged_by_its_own_phase(
    home: Path, tmp_path: Path, model: str
) -> None:
    lem(home, "seed", seeds(tmp_path, "wild", *(seed(n) for n in range(3))))
    (plan,) = rows(lem(home, "expand", "--model", model, "--json"))
    lem(home, "run", "--until-idle")

    assert (plan["phase"], plan["kernel"], plan["samples"]) == ("expansion", None, 1)
    assert plan["run"].startswith("expand-expansion-")
    (run,) = [e for e in events(home, "runs") if isinstance(e, Started)]
    assert (run.kernel, run.sampling.temperature, run.sampling.max_tokens) == (None, 0.7, 2048)
    answers = [e for e in events(home, "generations") if isinstance(e, Generated)]
    assert [(e.kernel, e.system_role, e.response) for e in answers] == [(None, "none", GOOD)] * 3
    query = "select distinct scorer, rule from verdicts join scores using (generation, scorer)"
    assert {row["scorer"] for row in rows(lem(home, "sql", query, "--json"))} == {"tier@1"}
    lem(home, "log", "verify")


def test_rare_domains_come_first_and_the_next_plan_goes_on(
    home: Path, tmp_path: Path, model: str
) -> None:
    found = [seed(n) for n in range(3)] + [seed(3, domain="sea"), seed(4, domain="art")]
    lem(home, "seed", seeds(tmp_path, "wild", *found))

    for _ in range(3):
        lem(home, "expand", "--model", model, "--limit", "2")
    (last,) = rows(lem(home, "expand", "--model", model, "--json"))

    assert asked(home) == ["E3", "E4", "E0", "E1", "E2"]
    assert (last["new requests"], last["known"]) == (0, 5)


def test_in_the_order_of_the_log_where_that_is_wanted(
    home: Path, tmp_path: Path, model: str
) -> None:
    lem(home, "seed", seeds(tmp_path, "wild", seed(0), seed(1), seed(2, domain="sea")))
    lem(home, "expand", "--model", model, "--order", "log")

    assert asked(home) == ["E0", "E1", "E2"]


def test_gold_and_history_are_not_asked_again_unless_their_set_is_named(
    home: Path, tmp_path: Path, model: str
) -> None:
    lem(home, "seed")
    lem(home, "seed", seeds(tmp_path, "wild", seed(0)))
    lem(home, "distill", "--phase", "4", "--samples", "1", "--model", model)
    quiz = {"id": "Q1", "benchmark": "quiz", "model": "m", "response": "2"}
    (tmp_path / "quiz.jsonl").write_text(json.dumps(quiz | {"prompt": LONG.format("quiz")}))
    lem(home, "import", str(tmp_path / "quiz.jsonl"))
    before = requests(home)

    lem(home, "expand", "--model", model)
    there = {each.probe for each in requests(home)[len(before) :]}
    lem(home, "expand", "--model", model, "--set", "synthesis", "--set", "quiz")
    named = [each for each in requests(home) if each.phase == "expansion"]

    gold = {each.probe for each in before}
    assert "E0" in there
    assert "Q1" in gold
    assert there.isdisjoint(gold)
    assert {each.probe for each in named} - there == gold


def test_short_and_repeated_prompts_are_left_out(home: Path, tmp_path: Path, model: str) -> None:
    twin = seed(1) | {"prompt": LONG.format(0)}
    lem(home, "seed", seeds(tmp_path, "wild", seed(0), twin, seed(2) | {"prompt": "Why?"}))

    lem(home, "expand", "--model", model)
    (short,) = rows(lem(home, "expand", "--model", model, "--min-length", "4", "--json"))

    assert asked(home) == ["E0", "E2"]
    assert (short["new requests"], short["known"]) == (1, 1)


def test_a_region_and_a_voice_can_be_chosen(home: Path, tmp_path: Path, model: str) -> None:
    elder = seed(0, voice="elder") | {"prompt": LONG.format("elder")}
    found = (seed(0), elder, seed(1, region="Sahel"), seed(2, region="Gulf"))
    lem(home, "seed", seeds(tmp_path, "wild", *found))

    lem(home, "expand", "--model", model, "--region", "sahel")
    lem(home, "expand", "--model", model, "--voice", "elder")

    assert asked(home) == ["E1", "E0_elder"]


def test_a_plan_that_is_only_shown_writes_nothing(home: Path, tmp_path: Path, model: str) -> None:
    lem(home, "seed", seeds(tmp_path, "wild", *(seed(n) for n in range(12))))

    said = lem(home, "expand", "--model", model, "--dry-run", "--limit", "11").stdout

    assert "12 prompts, 1 samples each: 11 new requests, 0 known" in said
    assert [line.split()[0] for line in said.splitlines() if "“" in line] == [
        f"E{n}" for n in range(10)
    ]
    assert "Nothing was written." in said
    assert asked(home) == []


def test_what_ended_in_an_error_is_asked_again(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps({"prompt": "number 0", "responses": [GOOD]}) + "\n")
    lem(home, "seed", seeds(tmp_path, "wild", seed(0), seed(1)))
    model = f"canned:{path}"
    lem(home, "expand", "--model", model)
    lem(home, "run", "--until-idle")

    (again,) = rows(lem(home, "expand", "--model", model, "--retry", "--json"))

    assert (again["new requests"], again["known"]) == (1, 1)
    assert [(each.probe, each.attempt) for each in requests(home)] == [
        ("E0", 0),
        ("E1", 0),
        ("E1", 1),
    ]


def test_an_empty_log_an_unknown_set_and_a_kernel_are_refused(
    home: Path, tmp_path: Path, model: str
) -> None:
    assert "The log holds no probes to expand." in refusal(home, "expand", "--model", model)
    lem(home, "seed", seeds(tmp_path, "wild", seed(0)))

    said = refusal(home, "expand", "--model", model, "--set", "mild")
    assert said == "lem: --set mild: the log has no such probe set; there are: wild."
    said = refusal(home, "expand", "--model", model, "--phase", "1")
    assert 'phase "1" asks with a kernel; an expansion asks without one.' in said


def test_without_a_model_it_says_how_it_is_used(home: Path) -> None:
    """An untrained model, as a default would be, is not meant."""
    assert "Missing option '--model'" in lem(home, "expand", status=2).stderr
