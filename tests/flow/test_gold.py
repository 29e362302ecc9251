"""Gold, command by command: the sandwich, shares of models, voices, and who wrote it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import kernel
from schemas import Decided, Generated, Materialized, Probed, Requested, Started
from tests.events import requested
from tests.lem import PROJECT, events, lem, refusal, rows
from tests.models import Asked, completion, scripted

GOOD = "However, they might see it from another perspective: consent and dignity are in tension."
KERNEL = kernel.text("lek-1.txt")
AXIOMS = kernel.text("axioms.json")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def trial(folder: Path, *seeds: dict[str, Any], **phase: Any) -> dict[str, str]:
    """One phase over these seeds; the settings that name both."""
    place = folder / "seeds"
    place.mkdir()
    (place / "trial.json").write_text(json.dumps(seeds or [seed(n) for n in range(6)]))
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    demo = found["phases"]["demo"] | {"probes": ["trial"], "kernel": "lek-1.txt", "samples": 1}
    demo["rephrasings"] = False
    demo["sampling"]["max_tokens"] = 1000
    found["phases"] = {"trial": demo | phase, "expansion": found["phases"]["expansion"]}
    path = folder / "curriculum.yaml"
    path.write_text(yaml.safe_dump(found))
    return {"LEM_CURRICULUM": str(path), "LEM_SEEDS": str(place)}


def seed(number: int, **fields: str) -> dict[str, str]:
    return {"id": f"T{number}", "domain": "Trial", "prompt": f"What is owed? ({number})", **fields}


def canned(folder: Path, response: str = GOOD, *, prompt: str = "*", name: str = "a") -> str:
    path = folder / f"{name}.jsonl"
    path.write_text(json.dumps({"prompt": prompt, "responses": [response]}) + "\n")
    return f"canned:{path}"


def distil(home: Path, env: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    lem(home, "seed", env=env)
    done = lem(home, "distill", "--phase", "trial", "--json", *arguments, env=env)
    return rows(done)


def of(home: Path, topic: str, kind: type[Any]) -> list[Any]:
    return [event for event in events(home, topic) if isinstance(event, kind)]


def turns(asked: Asked) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in asked.body["messages"]]


def test_a_server_gets_the_axioms_the_prompt_and_the_kernel_in_this_order(
    home: Path, tmp_path: Path
) -> None:
    env = trial(tmp_path, seed(0))
    with scripted(completion(GOOD)) as (url, asked):
        distil(home, env, "--model", f"openai:{url}#gemma", "--sandwich")
        lem(home, "run", "--until-idle", env=env)

    ((first, system), (second, user)) = turns(asked[0])
    assert (first, second) == ("system", "user")
    assert system == AXIOMS
    assert user.startswith("What is owed? (0)\n\n---\n\n")
    assert user.endswith(f"\n\n{KERNEL}")


def test_a_sandwich_goes_the_whole_way_and_leaves_no_kernel_in_the_rows(
    home: Path, tmp_path: Path
) -> None:
    """The canned line answers only where the kernel's last words stand in the prompt."""
    env = trial(tmp_path)
    distil(home, env, "--model", canned(tmp_path, prompt=KERNEL[-200:]), "--sandwich")
    lem(home, "run", "--until-idle", env=env)

    (run,) = of(home, "runs", Started)
    assert (run.kernel.name, run.kernel.axioms) == ("sandwich:lek-1.txt", AXIOMS)
    assert {r.arrangement for r in of(home, "requests", Requested)} == {"sandwich"}
    found = of(home, "generations", Generated)
    assert [(e.response, e.system_role, e.kernel) for e in found] == [
        (GOOD, "system", "sandwich:lek-1.txt")
    ] * 6
    assert {e.prompt for e in found} == {f"What is owed? ({n})" for n in range(6)}
    read = len(f"{AXIOMS} {run.kernel.text} What is owed? (0)".split())
    assert {e.prompt_tokens for e in found} == {read}
    dataset = _rows(home)
    assert {row["messages"][0]["content"] for row in dataset} <= {e.prompt for e in found}
    assert dataset
    lem(home, "log", "verify")


@pytest.mark.parametrize("text", [AXIOMS, KERNEL], ids=["axioms", "kernel"])
def test_neither_text_of_a_sandwich_may_be_trained_on(
    home: Path, tmp_path: Path, text: str
) -> None:
    env = trial(tmp_path)
    model = canned(tmp_path, f"{GOOD} {text[400:900]}")
    distil(home, env, "--model", model, "--sandwich")
    lem(home, "run", "--until-idle", env=env)

    decided = of(home, "decisions", Decided)
    assert {e.verdict for e in decided} == {"rejected"}
    assert {finding.rule for e in decided for finding in e.findings} == {"kernel_leak"}


def test_with_the_sandwich_and_without_are_two_runs_and_two_conditions(
    home: Path, tmp_path: Path
) -> None:
    env = trial(tmp_path)
    model = canned(tmp_path)
    (one,) = distil(home, env, "--model", model)
    (two,) = distil(home, env, "--model", model, "--sandwich")
    (again,) = distil(home, env, "--model", model, "--sandwich")

    assert one["run"] != two["run"] == again["run"]
    assert (two["new requests"], again["new requests"], again["known"]) == (6, 0, 6)
    assert (one["kernel"], two["kernel"]) == ("lek-1.txt", "sandwich:lek-1.txt")


def test_a_plain_request_has_the_id_that_it_always_had(home: Path, tmp_path: Path) -> None:
    """As the fields were before there was a sandwich."""
    model = canned(tmp_path)
    distil(home, trial(tmp_path, seed(0)), "--model", model)

    (request,) = of(home, "requests", Requested)
    same = requested(
        of(home, "probes", Probed)[0],
        phase="trial",
        model=model,
        kernel="lek-1.txt",
        kernel_digest=kernel.digest("lek-1.txt"),
        sampling=request.sampling,
    )
    assert request.id == same.id


def test_a_phase_without_a_kernel_has_no_sandwich(home: Path, tmp_path: Path) -> None:
    env = trial(tmp_path, kernel=None)
    lem(home, "seed", env=env)

    said = refusal(
        home, "distill", "--phase", "trial", "--sandwich", "--model", canned(tmp_path), **env
    )
    assert 'phase "trial" asks without a kernel' in said


def test_models_share_a_phase_in_a_run_each(home: Path, tmp_path: Path) -> None:
    env = trial(tmp_path, *(seed(n) for n in range(40)))
    own, other = canned(tmp_path, name="own"), canned(tmp_path, f"No. {GOOD}", name="other")
    found = distil(home, env, "--model", f"{own}=0.7", "--model", f"{other}=0.3")
    lem(home, "run", "--until-idle", env=env)

    assert [row["model"] for row in found] == [own, other]
    assert sum(row["new requests"] for row in found) == 40
    assert 20 <= found[0]["new requests"] <= 36
    said = {(e.model, e.response) for e in of(home, "generations", Generated)}
    assert said == {(own, GOOD), (other, f"No. {GOOD}")}
    requests = of(home, "requests", Requested)
    assert [e.model for e in requests] == sorted(
        (e.model for e in requests), key=[own, other].index
    )


def test_a_phase_may_name_the_shares_and_a_flag_beats_it(home: Path, tmp_path: Path) -> None:
    own, other = canned(tmp_path, name="own"), canned(tmp_path, name="other")
    env = trial(tmp_path, models={own: 0.5, other: 0.5})

    both = distil(home, env, "--dry-run")
    (one,) = distil(home, env, "--dry-run", "--model", own)

    assert {row["model"] for row in both} == {own, other}
    assert (one["model"], one["new requests"]) == (own, 6)


def test_shares_of_a_phase_make_a_whole(home: Path, tmp_path: Path) -> None:
    env = trial(tmp_path, models={"canned:a": 0.5, "canned:b": 0.4})

    said = refusal(home, "distill", "--phase", "trial", **env)

    assert 'phase "trial": the shares of models should add up to 1, got 0.9' in said


def test_a_plan_that_is_only_shown_names_its_first_prompts(home: Path, tmp_path: Path) -> None:
    env = trial(tmp_path)
    lem(home, "seed", env=env)
    said = lem(
        home, "distill", "--phase", "trial", "--model", canned(tmp_path), "--dry-run", env=env
    ).stdout

    assert "T0 #0  “What is owed? (0)”" in said
    assert of(home, "requests", Requested) == []


def test_voices_and_regions_go_with_their_probes_into_the_dataset(
    home: Path, tmp_path: Path
) -> None:
    voices = [
        seed(0, voice="original", region="Sahel"),
        *(seed(0, voice=voice) | {"prompt": f"{voice} asks."} for voice in ("elder", "junior")),
    ]
    env = trial(tmp_path, *voices, rephrasings=True)
    distil(home, env, "--model", canned(tmp_path))
    lem(home, "run", "--until-idle", env=env)

    query = (
        "select probe, rephrasing_of, voice, region from probes where kind is null or voice <> ''"
    )
    told = [tuple(row.values()) for row in rows(lem(home, "sql", query, "--json", env=env))]
    assert told == [
        ("T0", None, "original", "Sahel"),
        ("T0_elder", "T0", "elder", None),
        ("T0_junior", "T0", "junior", None),
    ]
    asked = {(r.probe, r.original) for r in of(home, "requests", Requested)}
    rephrased = {f"T0_R_{kind}" for kind in ("PERS", "URGE", "CULT")}
    assert asked == {(name, "T0") for name in {"T0", "T0_elder", "T0_junior", *rephrased}}
    regions = {p.region for p in of(home, "probes", Probed) if p.probe in rephrased}
    assert regions == {"Sahel"}
    (made,) = of(home, "datasets", Materialized)
    query = "select generation, voice, region from dataset_rows"
    (row,) = rows(lem(home, "sql", query, "--json", env=env))
    (answer,) = [e for e in of(home, "generations", Generated) if e.id == row["generation"]]
    (probe,) = [p for p in of(home, "probes", Probed) if p.probe == answer.probe]
    assert made.generations == (row["generation"],)
    assert (row["voice"], row["region"]) == (probe.voice, probe.region)
    assert "elder" in lem(home, "tail", "probes", env=env).stdout


def test_a_phase_over_every_set_has_each_of_them_rephrased(home: Path, tmp_path: Path) -> None:
    env = trial(tmp_path, seed(0), probes=["*"], rephrasings=True)
    lem(home, "seed", env=env)
    lem(home, "run", "--until-idle", env=env)

    assert [p.probe for p in of(home, "probes", Probed)] == [
        "T0",
        *(f"T0_R_{kind}" for kind in ("PERS", "URGE", "CULT")),
    ]


def test_who_writes_is_named_by_setting_and_by_flag(home: Path, tmp_path: Path) -> None:
    env = trial(tmp_path)
    lem(home, "seed", env=env | {"LEM_WORKER": "desk"})
    model = ("--model", canned(tmp_path))
    lem(home, "distill", "--phase", "trial", *model, "--worker", "planner", env=env)
    lem(home, "run", "--until-idle", "--worker", "m1-gold", env=env | {"LEM_WORKER": "desk"})

    names = {
        topic: {event.by.partition("@")[2] for event in events(home, topic)}
        for topic in ("probes", "runs", "requests", "generations", "decisions", "datasets")
    }
    assert names == {
        "probes": {"desk"},
        "runs": {"planner"},
        "requests": {"planner"},
        **{topic: {"m1-gold"} for topic in ("generations", "decisions", "datasets")},
    }


def test_a_worker_has_a_plain_name(home: Path) -> None:
    said = refusal(home, "run", "--until-idle", "--worker", "my mac")

    assert said.startswith("lem: worker in the command line is 'my mac'")


def _rows(home: Path) -> list[dict[str, Any]]:
    files = home.glob("datasets/*/*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]
