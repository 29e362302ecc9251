"""What a user gets wrong: one line that says what, where and what to do; nothing else is lost."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from agents.models.tiny import build
from schemas import Generated, Probed
from tests.lem import PROJECT, events, lem, rows
from tests.models import Reply, completion, free_port, scripted

GOOD = {"id": "G1", "domain": "Trial", "prompt": "What do we owe each other?"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def seeds(folder: Path, *found: dict[str, object]) -> str:
    path = folder / "mine.json"
    path.write_text(json.dumps([GOOD, *found]))
    return str(path)


def planned(home: Path, model: str, *more: str, count: int = 1) -> None:
    lem(home, "seed")
    limit = ("--limit", str(count))
    lem(home, "distill", "--phase", "demo", "--model", model, *limit, *more)


def answered(home: Path) -> list[Generated]:
    return [e for e in events(home, "generations") if isinstance(e, Generated)]


def test_a_seed_without_a_prompt_is_told_and_costs_no_other(home: Path, tmp_path: Path) -> None:
    path = seeds(tmp_path, {"id": "B1", "domain": "Trial"})

    refused = lem(home, "seed", path, status=1)

    assert 'mine.json[1] has no "prompt"' in refused.stderr
    assert [e.probe for e in events(home, "probes") if isinstance(e, Probed)] == ["G1"]


def test_a_probe_id_has_one_prompt_for_ever(home: Path, tmp_path: Path) -> None:
    lem(home, "seed", seeds(tmp_path))
    path = tmp_path / "mine.json"
    path.write_text(json.dumps([GOOD | {"prompt": "Another?"}, GOOD | {"id": "G2"}]))

    refused = lem(home, "seed", str(path), status=1)

    assert 'mine.json[0]: probe "G1" is on the log with another prompt' in refused.stderr
    found = [e for e in events(home, "probes") if isinstance(e, Probed)]
    assert [(e.probe, e.prompt) for e in found] == [
        ("G1", GOOD["prompt"]),
        ("G2", GOOD["prompt"]),
    ]


def test_broken_yaml_is_told_by_file_and_line(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("- id: A\n  prompt: [\n- id: B\n")

    assert "broken.yaml:3" in lem(home, "seed", str(path), status=1).stderr

    path.rename(tmp_path / "phases.yaml")
    setting = {"LEM_CURRICULUM": str(tmp_path / "phases.yaml")}
    assert "phases.yaml:3" in lem(home, "run", status=1, env=setting).stderr


def test_an_unknown_phase_is_told_with_those_there_are(home: Path) -> None:
    refused = lem(home, "distill", "--phase", "9", status=1)

    assert '"9"' in refused.stderr
    assert "demo" in refused.stderr


@pytest.mark.parametrize("url", ["gemma", "http://localhost/v1", "mlx:", "canned:nowhere.jsonl"])
def test_a_model_that_cannot_be_is_refused_before_anything_is_planned(home: Path, url: str) -> None:
    lem(home, "seed")

    refused = lem(home, "distill", "--phase", "demo", "--model", url, status=1)

    assert refused.stderr.startswith("lem: ")
    assert events(home, "requests") == []


def test_a_model_folder_without_a_tokenizer_is_refused(home: Path, tmp_path: Path) -> None:
    folder = build(tmp_path / "tiny")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    lem(home, "seed")

    refused = lem(home, "distill", "--phase", "demo", "--model", f"mlx:{folder}", status=1)

    assert "tokenizer" in refused.stderr
    assert str(folder) in refused.stderr


def test_a_model_that_is_gone_stops_the_worker_and_loses_no_request(
    home: Path, tmp_path: Path
) -> None:
    folder = build(tmp_path / "tiny")
    planned(home, f"mlx:{folder}", count=2)
    moved = folder.rename(tmp_path / "moved")

    stopped = lem(home, "run", "--until-idle", status=1)
    moved.rename(folder)
    lem(home, "run", "--until-idle")

    assert str(folder) in stopped.stderr
    assert "waits for it" in stopped.stderr
    assert [e.outcome == "error" for e in answered(home)] == [False, False]


def test_a_server_that_is_down_is_an_outcome_and_is_asked_again_on_request(home: Path) -> None:
    port = free_port()
    planned(home, f"openai:http://127.0.0.1:{port}/v1#m")

    lem(home, "run", "--until-idle", env={"LEM_TRIES": "2"})
    (failed,) = answered(home)
    again = rows(
        lem(
            home,
            *("distill", "--phase", "demo", "--model", failed.model, "--limit", "1", "--retry"),
            "--json",
        )
    )

    assert (failed.outcome, failed.response) == ("error", "")
    assert f"127.0.0.1:{port}" in str(failed.error)
    assert again[0]["new requests"] == 1
    assert again[0]["known"] == 0


@pytest.mark.parametrize("reply", [Reply("no", 500), Reply("<html>")])
def test_a_server_that_talks_nonsense_is_asked_again_then_an_outcome(
    home: Path, reply: Reply
) -> None:
    with scripted(reply) as (url, asked):
        planned(home, f"openai:{url}#m")
        lem(home, "run", "--until-idle", env={"LEM_TRIES": "2"})

    (failed,) = answered(home)
    assert failed.outcome == "error"
    assert len(asked) == 2


def test_a_server_that_comes_back_is_answered_by(home: Path) -> None:
    with scripted(Reply("no", 503), completion("Here I am again.")) as (url, _):
        planned(home, f"openai:{url}#m")
        lem(home, "run", "--until-idle", env={"LEM_TRIES": "3"})

    (answer,) = answered(home)
    assert (answer.outcome, answer.response) == ("ok", "Here I am again.")


def test_a_log_of_a_newer_format_is_refused(home: Path) -> None:
    lem(home, "seed")
    with sqlite3.connect(home / "log.db") as db:
        db.execute("pragma user_version = 9")
    db.close()

    refused = lem(home, "status", status=1)

    assert "has log format 9; this lem reads up to 1" in refused.stderr


def test_no_log_yet_is_told_with_how_to_begin_one(home: Path) -> None:
    assert "`lem seed`" in lem(home, "status", status=1).stderr
    assert not home.exists()


def test_an_unknown_setting_is_told(home: Path) -> None:
    refused = lem(home, "status", status=1, env={"LEM_HOEM": "x"})

    assert "LEM_HOEM" in refused.stderr


def test_the_projects_own_seeds_all_go_in(home: Path) -> None:
    shutil.copytree(PROJECT / "seeds", home.parent / "copy")

    counts = rows(lem(home, "seed", str(home.parent / "copy"), "--json"))

    assert sum(int(count["new"]) for count in counts) == len(events(home, "probes")) >= 30
