"""What is held out for measuring: no phase asks it, and the gate lets nothing of it pass."""

from pathlib import Path

import pytest
import yaml

from agents.contamination import Lookup, read
from schemas import Probed
from tests.events import generated, probed, put, requested, started
from tests.lem import PROJECT, lem, log, refusal, rows

PROMPT = "Which seven songs did the harbour town forget after the flood of that long winter?"
HELD = probed("C1", PROMPT, set="measure")
REPHRASED = probed(
    "C1_R1",
    "Tell a child in your own village why the songs of old were never sung again by anybody.",
    set="measure",
    rephrasing_of="C1",
    kind="culture",
)
OTHER = probed("P1", "Who owns the well?", set="core")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    gate = found["phases"]["demo"]["gate"] | {"threshold": None, "calibrated": None}
    found["phases"]["demo"]["gate"] = gate
    found["held_out"] = ["measure", "not-there"]
    path = tmp_path / "curriculum.yaml"
    path.write_text(yaml.safe_dump(found))
    return {"LEM_CURRICULUM": str(path)}


def filled(home: Path, probes: tuple[Probed, ...], responses: dict[str, str]) -> None:
    with log(home) as store:
        for topic in ("probes", "runs", "generations"):
            store.declare(topic, 1)
        answers = [
            generated(requested(OTHER, phase="demo", sample=at), response=text)
            for at, text in enumerate(responses.values())
        ]
        put(store, *probes, started(phase="demo", kernel=None), *answers)


def told(home: Path, env: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    query = (
        "select response, rule, reason from verdicts"
        " join generations on generations.id = verdicts.generation order by verdicts.sample"
    )
    found = rows(lem(home, "sql", query, "--json", env=env))
    return {row["response"]: (row["rule"], row["reason"]) for row in found}


def test_the_gate_refuses_what_overlaps_with_a_held_out_probe_or_its_rephrasing(
    tmp_path: Path, env: dict[str, str]
) -> None:
    home = tmp_path / "home"
    responses = {
        "whole": f"You ask: {PROMPT.upper()} Nobody knows.",
        "rephrased": "why the songs of old were never sung again by anybody in your own village?"
        f" {REPHRASED.prompt}",
        "own": "The harbour town forgot its songs, as towns do after a flood.",
    }
    filled(home, (HELD, REPHRASED, OTHER), responses)
    lem(home, "rescore", "--scorer", "lek@2")
    lem(home, "gate", env=env)

    found = told(home, env)

    assert found[responses["own"]] == (None, None)
    for name, probe in (("whole", "C1"), ("rephrased", "C1_R1")):
        rule, reason = found[responses[name]]
        assert rule == "contamination"
        assert reason is not None
        assert f"held-out probe {probe}:" in reason


def test_a_run_that_begins_later_is_held_against_the_probes_of_then(tmp_path: Path) -> None:
    with log(tmp_path / "home") as store:
        store.declare("probes", 2)
        lookup = Lookup(store, ["measure", "not-there"])
        put(store, OTHER)
        before = lookup.of("one")
        put(store, HELD, REPHRASED)

        assert before.count == lookup.of("one").count == 0
        assert lookup.of("two").count == 2
        assert lookup.of("two") is lookup.of("three")
        assert lookup.of("two").digest == read(store, ["measure"]).digest
        assert read(store, []).count == 0


def test_nothing_is_refused_where_the_held_out_probes_are_not_on_the_log(
    tmp_path: Path, env: dict[str, str]
) -> None:
    home = tmp_path / "home"
    filled(home, (OTHER,), {"whole": f"You ask: {PROMPT} Nobody knows."})
    lem(home, "rescore", "--scorer", "lek@2")
    lem(home, "gate", env=env)

    assert [rule for rule, _ in told(home, env).values()] == [None]


def test_an_expansion_leaves_out_what_is_held_out_and_refuses_to_be_asked_for_it(
    tmp_path: Path, env: dict[str, str]
) -> None:
    home = tmp_path / "home"
    filled(home, (HELD, REPHRASED, OTHER), {})
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"prompt": "x", "responses": ["y"]}\n')
    command = ("expand", "--model", f"canned:{answers}")

    done = lem(home, *command, "--min-length", "1", "--json", env=env)
    said = refusal(home, *command, "--set", "measure", **env)

    assert [row["new requests"] for row in rows(done)] == [1]
    assert "--set measure: that set is held out for measuring" in said
