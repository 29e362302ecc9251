"""`lem scorers`, as a user runs it, with scorers of the user's own."""

from pathlib import Path

import pytest

from agents.scorers import scorers
from tests.events import generated, put, requested
from tests.lem import lem, log, refusal, rows

SIGNALS = "signals: {a: {weight: 1, count: [{find: [however, how, never], fold: true}]}}"
OWN = f"{{name: own, version: '1', summary: s, {SIGNALS}"
PACKAGE = """
from agents.scorers import Fixture, Score, Scorer

def scores(texts):
    return [Score(score=float(len(text.response)), signals={}) for text in texts]

own = Scorer(
    name="long", version="1", definition="0" * 64, summary="Length.", function=scores,
    fixtures=(Fixture(text="four", score=4),),
)
none = "no scorer"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def packaged(folder: Path, *points: str) -> dict[str, str]:
    """The environment in which a package with these entry points is installed."""
    about = folder / "own-1.dist-info"
    about.mkdir()
    (folder / "own.py").write_text(PACKAGE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    (about / "entry_points.txt").write_text("\n".join(["[lem.scorers]", *points]))
    return {"PYTHONPATH": str(folder)}


def test_a_scorer_of_the_users_own_is_a_file(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scorers"
    folder.mkdir()
    shown = lem(home, "scorers", "show", "lek@2").stdout
    (folder / "lek@9.yaml").write_text(shown.replace("version: '2'", "version: '9'"))
    env = {"LEM_SCORERS": str(folder)}

    labels = [row["scorer"] for row in rows(lem(home, "scorers", "list", "--json", env=env))]
    differing = lem(home, "scorers", "diff", "lek@2", "lek@9", env=env, status=1).stdout

    assert "lek@9" in labels
    assert "+version: '9'" in differing
    assert "weight" not in differing


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("lek@2.yaml", "name: lek", "lek@2 is defined twice"),
        ("own@1.yaml", "name: own", "own@1.yaml is no definition of a scorer"),
        ("own@1.yaml", "{name: own\n- what", "own@1.yaml is no definition of a scorer"),
        ("own@1.yml", OWN.replace("'1'", "'2'") + "}", "calls itself own@2"),
        ("own.yaml", OWN + "}", "calls itself own@1; a file is named after its scorer"),
        ("own@1.yaml", OWN.replace("however", "'(?=x)'") + "}", "look-around"),
        ("own@1.yaml", OWN.replace("however", "'(?:a{1000}){1000}'") + "}", "too large"),
    ],
)
def test_a_file_that_is_no_scorer_is_told_and_costs_no_other(
    home: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    label, env = name.rpartition(".")[0], {"LEM_SCORERS": str(tmp_path)}

    found = rows(lem(home, "scorers", "list", "--json", env=env, status=1))

    assert [row["scorer"] for row in found if "error" in row] == [label]
    assert {one.label for one in scorers()} <= {row["scorer"] for row in found}
    (error,) = (row["error"] for row in found if "error" in row)
    assert said in error
    assert refusal(home, "scorers", "show", label, **env) == f"lem: {error}"


def test_beside_a_file_that_is_no_scorer_others_are_shown(home: Path, tmp_path: Path) -> None:
    (tmp_path / "own@1.yaml").write_text("name: own")
    env = {"LEM_SCORERS": str(tmp_path)}

    assert "Can't be used" in lem(home, "scorers", "list", env=env, status=1).stdout
    (row,) = rows(lem(home, "scorers", "show", "tier@1", "--json", env=env))
    assert row["rules"]["formulaic_preamble"] == ["okay, let", "ok, let", "sure, let"]


def test_a_difference_is_one_of_what_defines_a_score(home: Path) -> None:
    said = lem(home, "scorers", "diff", "lek@2", "lek@2.1", status=1).stdout

    assert "+failed: 0.0" in said
    assert "text:" not in said
    assert "fixtures" not in said


def test_a_setting_that_names_no_folder_is_told(home: Path, tmp_path: Path) -> None:
    said = refusal(home, "scorers", "list", LEM_SCORERS=str(tmp_path / "none"))

    assert "which is no folder" in said


def test_a_scorer_of_a_package_is_found_by_its_entry_point(home: Path, tmp_path: Path) -> None:
    env = packaged(tmp_path, "long@1 = own:own")

    assert {"scorer": "long@1", "what": "Length.", "definition": "0" * 64} in rows(
        lem(home, "scorers", "list", "--json", env=env)
    )
    assert "1 fixtures hold; no rules" in lem(home, "scorers", "test", "long@1", env=env).stdout


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("gone:own", "long@1 of gone:own can't be loaded: No module named 'gone'"),
        ("own:gone", "long@1 of own:gone can't be loaded: module 'own' has no attribute 'gone'"),
        ("own:none", "own:none, for long@1, is no agents.scorers.Scorer"),
    ],
)
def test_a_package_that_is_no_scorer_is_told_and_costs_no_other(
    home: Path, tmp_path: Path, point: str, said: str
) -> None:
    env = packaged(tmp_path, f"long@1 = {point}", "long@2 = own:own")

    found = rows(lem(home, "scorers", "list", "--json", env=env, status=1))
    errors = {row["scorer"]: row["error"] for row in found if "error" in row}

    assert said in errors["long@1"]
    assert "calls itself long@1" in errors["long@2"]
    assert "lek@2.1" in {row["scorer"] for row in found} - errors.keys()
    assert said in refusal(home, "scorers", "test", "long@1", **env)


def test_every_scorer_of_ours_holds_without_a_log(home: Path) -> None:
    found = rows(lem(home, "scorers", "test", "--json"))

    assert {row["scorer"] for row in found} == {one.label for one in scorers()}
    assert all(row["fixtures"] and "failing" not in row for row in found)
    assert not any("silent" in row for row in found)
    assert not home.exists()
    said = lem(home, "scorers", "test", "lek@2.1").stdout
    assert "fixtures hold" in said
    assert "Only fixtures were run. There is no log" in said


def test_a_fixture_that_does_not_hold_is_told(home: Path, tmp_path: Path) -> None:
    fixtures = "fixtures: [{text: However., score: 1}, {text: Never., score: 2, signals: {b: 1}}]"
    (tmp_path / "own@1.yaml").write_text(f"{OWN}, {fixtures}}}")
    (tmp_path / "own@2.yaml").write_text("- no scorer")
    env = {"LEM_SCORERS": str(tmp_path)}

    (row,) = rows(lem(home, "scorers", "test", "own@1", "--json", env=env, status=1))
    said = lem(home, "scorers", "test", env=env, status=1).stdout

    differing = [(each["fixture"], each["what"], each["found"]) for each in row["failing"]]
    assert differing == [(2, "score", 1), (2, "b", None)]
    assert "own@1: 1 of 2 fixtures don't hold" in said
    assert "fixture 2, 'Never.': score 2 expected, 1 found" in said
    assert "fixture 2, 'Never.': there is no signal b" in said
    assert "own@2 can't be used." in said
    assert "lek@2.1: " in said


def test_rules_that_never_fire_on_the_log_are_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "own@1.yaml").write_text(OWN + "}")
    env = {"LEM_SCORERS": str(tmp_path)}
    with log(home) as store:
        store.declare("generations", 1)
        answers = ("However, no.", "Never again."), ("however", "")
        put(
            store,
            *(
                generated(requested(phase=phase, sample=sample), response=response)
                for phase, pair in zip(("1", "history"), answers, strict=True)
                for sample, response in enumerate(pair)
            ),
        )

    (row,) = rows(lem(home, "scorers", "test", "own@1", "--json", env=env))
    (part,) = rows(lem(home, "scorers", "test", "own@1", "--json", "--phase", "history", env=env))
    every = rows(lem(home, "scorers", "test", "--json", env=env))

    how = {"signal": "a", "rule": "how", "is_hidden": True}
    never = {"signal": "a", "rule": "never", "is_hidden": False}
    assert (row["rules"], row["responses"], row["silent"]) == (3, 3, [how])
    assert (part["responses"], part["silent"]) == (1, [how, never])
    assert {each["scorer"] for each in every if "silent" not in each} == {
        each["scorer"] for each in every if not each.get("rules")
    }
    said = lem(home, "scorers", "test", env=env).stdout
    assert "own@1: no fixtures; 1 of 3 rules never fire in 3 responses" in said
    assert '  a: "how" (hidden)' in said
    assert "grammar@3: 4 fixtures hold; no rules" in said


def test_a_phase_without_responses_is_told(home: Path) -> None:
    lem(home, "seed")

    said = lem(home, "scorers", "test", "tier@1", "--phase", "history").stdout

    assert "Only fixtures were run. The log has no responses of phase history." in said
