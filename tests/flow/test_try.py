"""`lem gate --try`: it shows what comes when the gate is changed, and writes nothing."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import Generated, Kernel
from streams.config import Settings
from streams.ids import digest
from tests.events import decided, generated, probed, put, requested, reviewed, scored, started
from tests.lem import PROJECT, lem, log, refusal, rows

KERNEL = "Every being that feels has a claim on our care, and no rule of ours outweighs that claim."
SENTENCES = (
    "However, there is a tension between the two.",
    "I feel the grief of those affected.",
    "Consider that the community might see it otherwise.",
    "It is like a river.\n\nWhat would Anna say?",
    "By Axiom 3, twelve people voted.",
    KERNEL,
)
HELD = probed(
    "C1", "Name all nine things that the censors of that town never let through.", set="c"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with generations of one phase, scored and decided; some were reviewed."""
    home = tmp_path_factory.mktemp("try") / "home"
    answers = _answers(random.Random(3))
    with log(home) as store:
        for topic in ("probes", "runs", "generations", "scores", "reviews"):
            store.declare(topic, 1)
        kernel = Kernel(name="k", digest=digest("k"), text=KERNEL)
        put(store, HELD, started(kernel=kernel), *answers)
        put(store, *(_reviewed(each, at) for at, each in enumerate(answers) if at % 9 == 0))
    lem(home, "rescore", "--scorer", "lek@2")
    lem(home, "gate", env=_env(home.parent))
    return home


def _answers(chance: random.Random) -> list[Generated]:
    found = []
    for number in range(90):
        asked = requested(probed(f"P{number % 7}"), sample=number)
        text = " ".join(chance.choices(SENTENCES, k=chance.randint(0, 4)))
        text += f"\n\nAnswer {chance.randint(1, 60)}." + HELD.prompt * (number % 13 == 0)
        found.append(generated(asked, response=text))
    return found


def _reviewed(answer: Generated, number: int) -> Any:
    return reviewed(decided(scored(answer), "held"), "rejected" if number % 2 else "accepted")


def _env(folder: Path, **changes: Any) -> dict[str, str]:
    """The curriculum with another gate for phase 1."""
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    gate = found["phases"]["1"]["gate"]
    gate |= {"threshold": 2.0, "review_share": 0.4, "words": None, "names_axioms": True}
    gate |= changes
    path = folder / f"{digest(yaml.safe_dump(gate))[:8]}.yaml"
    path.write_text(yaml.safe_dump({**found, "held_out": ["c"]}))
    return {"LEM_CURRICULUM": str(path)}


def _verdicts(home: Path, env: dict[str, str]) -> dict[str, dict[str, Any]]:
    query = "select generation, verdict, rule from verdicts where phase = '1'"
    return {row["generation"]: row for row in rows(lem(home, "sql", query, "--json", env=env))}


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 4.5},
        {"threshold": 1.0, "review_share": 0},
        {"words": [8, 20]},
        {"names_axioms": False, "best": 3},
        {"outcomes": ["truncated"], "leak_words": 1},
        {"duplicate": {"words": 2, "similarity": 0.5}},
    ],
    ids=str,
)
def test_what_is_shown_is_what_comes(home: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    tries = [part for name, value in changes.items() for part in ("--try", f"{name}={value}")]
    old, new = _env(tmp_path), _env(tmp_path, **changes)

    told = rows(lem(home, "gate", "--phase", "1", *tries, "--json", env=old))
    lem(home, "gate", env=new)
    before, after = _verdicts(home, old), _verdicts(home, new)

    head = told[0]
    counts = {row["name"]: (row["now"], row["then"]) for row in told if row["type"] == "verdict"}
    for verdict in ("accepted", "held", "rejected"):
        real = [sum(row["verdict"] == verdict for row in each.values()) for each in (before, after)]
        assert counts.get(verdict, (0, 0)) == tuple(real)
    one, two = (
        {key for key, row in each.items() if row["verdict"] == "accepted"}
        for each in (before, after)
    )
    moved = {row["generation"]: row for row in told if row["type"] == "row"}
    assert {key for key, row in moved.items() if row["enters"]} == two - one
    assert {key for key, row in moved.items() if not row["enters"]} == one - two
    assert (head["enter"], head["leave"]) == (len(two - one), len(one - two))
    assert one != two
    assert all(row["rules"] and row["words"] for row in moved.values())
    for key in one - two:
        assert after[key]["rule"] in moved[key]["rules"].split(", ")


def test_every_rule_is_counted_on_both_sides(home: Path, tmp_path: Path) -> None:
    told = rows(
        lem(home, "gate", "--phase", "1", "--try", "words=[1, 20]", "--json", env=_env(tmp_path))
    )

    found = {row["name"]: (row["now"], row["then"]) for row in told if row["type"] == "rule"}
    assert found["words"][0] == 0 < found["words"][1]
    assert found["contamination"] == (7, 7)
    assert found["threshold"][0] == found["threshold"][1] > 0
    assert found["kernel_leak"][0] > 0


def test_nothing_is_written_and_a_worker_may_be_at_it(home: Path, tmp_path: Path) -> None:
    with log(home) as store:
        before = store.ends()
        with store.held(Settings(home=str(home)).group):
            done = lem(home, "gate", "--phase", "1", "--try", "threshold=4.5", env=_env(tmp_path))

        assert store.ends() == before
    assert "Nothing is written." in done.stdout
    assert "rows leave; the nearest:" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("threshold", "names no field of a gate; write FIELD=VALUE with one of scorer, threshold"),
        ("limit=3", "names no field of a gate"),
        ("threshold=high", "at `$.threshold`"),
        ("words=[9, 3]", "words should be [least, most], got [9, 3]"),
        ("words=[9", "has no value in YAML"),
        ("scorer=lek@2.1", "set for lek@2, but the scores are from lek@2.1"),
    ],
)
def test_a_gate_that_could_not_be_in_the_file_is_refused(
    home: Path, tmp_path: Path, change: str, told: str
) -> None:
    assert told in refusal(home, "gate", "--phase", "1", "--try", change, **_env(tmp_path))


def test_what_is_missing_is_told(home: Path, tmp_path: Path) -> None:
    env = _env(tmp_path)
    other = ("--try", "scorer=lek@2.1", "--try", "calibrated=lek@2.1")

    assert "name it, as --phase 1" in refusal(home, "gate", "--try", "threshold=3", **env)
    assert "run `lem rescore --scorer lek@2.1`" in refusal(
        home, "gate", "--phase", "1", *other, **env
    )
    assert "no generation of phase 2" in refusal(
        home, "gate", "--phase", "2", "--try", "threshold=3", **env
    )
