"""The main job on the embedded log, command by command, with canned answers."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from schemas import Decided, Generated, Materialized
from streams.log.store import EmbeddedStore
from tests.lem import PROJECT, command, datasets, environment, events, facts, lem, rows, until

GOOD = "However, they might see it from another perspective: consent and dignity are in tension."
PLAIN = "It depends on what you want to do with it, and there is not much more to say here."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def canned(tmp_path: Path) -> str:
    return f"canned:{answers(tmp_path)}"


def answers(folder: Path, **more: object) -> Path:
    """Three responses by turns: one good, one plain, one with a copy of the kernel."""
    import kernel

    leaking = f"{GOOD} {kernel.text('lek-1.txt')[:600]}"
    line = {"prompt": "*", "responses": [GOOD, PLAIN, f"{GOOD}  {GOOD}", leaking, ""], **more}
    path = folder / "answers.jsonl"
    path.write_text(json.dumps(line) + "\n")
    return path


@pytest.fixture
def curriculum(tmp_path: Path) -> Path:
    return trial(tmp_path)


def trial(folder: Path) -> Path:
    """One phase over one small set, with the text kernel and a threshold that divides."""
    (folder / "seeds").mkdir()
    probes = [
        {"id": f"T{n:02}", "domain": "Trial", "prompt": f"What is owed? ({n})"} for n in range(8)
    ]
    (folder / "seeds" / "trial.json").write_text(json.dumps(probes))
    return written_curriculum(folder, threshold=4.0)


def written_curriculum(folder: Path, *, threshold: float) -> Path:
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    phase = found["phases"]["demo"]
    phase["probes"] = ["trial"]
    phase["kernel"] = "lek-1.txt"
    phase["samples"] = 2
    phase["sampling"]["max_tokens"] = 1000
    phase["gate"]["threshold"] = threshold
    found["phases"] = {"trial": phase}
    path = folder / "curriculum.yaml"
    path.write_text(yaml.safe_dump(found))
    return path


def whole(home: Path, canned: str, curriculum: Path) -> dict[str, str]:
    settings = {"LEM_CURRICULUM": str(curriculum), "LEM_SEEDS": str(curriculum.parent / "seeds")}
    lem(home, "seed", env=settings)
    lem(home, "distill", "--phase", "trial", "--model", canned, env=settings)
    lem(home, "run", "--until-idle", env=settings)
    return settings


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the whole way was gone once; tests only read it."""
    folder = tmp_path_factory.mktemp("done")
    home = folder / "home"
    whole(home, f"canned:{answers(folder)}", trial(folder))
    return home


def test_the_whole_way_ends_in_a_dataset(done: Path) -> None:
    home = done

    generations = [e for e in events(home, "generations") if isinstance(e, Generated)]
    (manifest,) = [e for e in events(home, "datasets") if isinstance(e, Materialized)]

    assert len(generations) == 8 * 4 * 2
    assert len({e.id for e in generations}) == len(generations)
    assert {e.outcome for e in generations} == {"ok", "empty"}
    assert manifest.generations
    lem(home, "log", "verify")


def test_every_rule_that_failed_is_told(done: Path) -> None:
    decisions = [e for e in events(done, "decisions") if isinstance(e, Decided)]
    rules = {tuple(f.rule for f in e.findings) for e in decisions if e.verdict == "rejected"}

    assert rules == {("threshold",), ("outcome", "threshold"), ("kernel_leak",), ("duplicate",)}


def test_of_equal_responses_one_is_kept(done: Path) -> None:
    texts = [json.loads(line)["messages"][1]["content"] for line in _lines(done)]

    assert sorted(texts) == sorted(set(texts))
    assert {" ".join(text.split()) for text in texts} == {GOOD, f"{GOOD} {GOOD}"}


def test_rows_trace_back_to_generations_and_hold_no_prompt_key(done: Path) -> None:
    (manifest,) = [e for e in events(done, "datasets") if isinstance(e, Materialized)]
    found = [json.loads(line) for line in _lines(done)]

    assert {"messages", "generation", "probe", "original", "score"} < set(found[0])
    assert [tuple(row) for row in found] == [tuple(found[0])] * len(found)
    assert not {"prompt", "completion", "text"} & set(found[0])
    assert {row["generation"] for row in found} == set(manifest.generations)


def test_run_twice_adds_no_event(home: Path, canned: str, curriculum: Path) -> None:
    settings = whole(home, canned, curriculum)
    before = _ends(home)

    whole(home, canned, curriculum)
    lem(home, "materialize", "--phase", "trial", env=settings)

    assert _ends(home) == before


def test_a_dry_run_writes_nothing(home: Path, canned: str, curriculum: Path) -> None:
    settings = {"LEM_CURRICULUM": str(curriculum), "LEM_SEEDS": str(curriculum.parent / "seeds")}
    lem(home, "seed", env=settings)
    before = _ends(home)

    done = lem(
        home, "distill", "--phase", "trial", "--model", canned, "--dry-run", "--json", env=settings
    )

    assert rows(done)[0]["new requests"] == 64
    assert _ends(home) == before


def test_more_samples_continue_the_run(home: Path, canned: str, curriculum: Path) -> None:
    settings = whole(home, canned, curriculum)

    done = lem(
        home,
        "distill",
        "--phase",
        "trial",
        "--model",
        canned,
        "--samples",
        "3",
        "--json",
        env=settings,
    )

    (row,) = rows(done)
    assert (row["new requests"], row["known"]) == (32, 64)
    assert {e.run for e in events(home, "requests")} == {row["run"]}


def test_a_changed_threshold_decides_old_generations_again(
    home: Path, canned: str, curriculum: Path
) -> None:
    settings = whole(home, canned, curriculum)
    before = facts(home, "decisions")
    generations = facts(home, "generations")
    written_curriculum(curriculum.parent, threshold=-50.0)

    (row,) = rows(lem(home, "gate", "--json", env=settings))
    lem(home, "materialize", "--phase", "trial", env=settings)

    after = facts(home, "decisions")
    assert after[: len(before)] == before
    assert len({decision["policy"] for decision in after}) == 2
    assert facts(home, "generations") == generations
    assert (row["threshold"], row["pending"]) == (-50.0, 0)
    assert {PLAIN} < {json.loads(line)["messages"][1]["content"] for line in _lines(home)}
    lem(home, "log", "verify")


def test_a_dataset_that_cannot_be_made_costs_no_other_its_event(
    home: Path, canned: str, curriculum: Path, tmp_path: Path
) -> None:
    found = yaml.safe_load(curriculum.read_text())
    found["phases"] = {name: found["phases"]["trial"] for name in ("first", "second")}
    curriculum.write_text(yaml.safe_dump(found))
    settings = {"LEM_CURRICULUM": str(curriculum), "LEM_SEEDS": str(curriculum.parent / "seeds")}
    lem(home, "seed", env=settings)
    for name in found["phases"]:
        lem(home, "distill", "--phase", name, "--model", canned, env=settings)
    other = shutil.copytree(home, tmp_path / "other")
    lem(home, "run", "--until-idle", env=settings)
    first, second = sorted(path.name for path in (home / "datasets").iterdir())
    (other / "datasets").mkdir()
    (other / "datasets" / first).write_text("A file where the folder should be.")

    failed = lem(other, "run", "--until-idle", status=1, env=settings)

    assert "can't write the dataset" in failed.stderr
    assert [event["phase"] for event in facts(other, "datasets")] == ["second"]
    assert (other / "datasets" / second / "manifest.json").is_file()
    (other / "datasets" / first).unlink()
    lem(other, "run", "--until-idle", env=settings)
    assert [event["phase"] for event in facts(other, "datasets")] == ["second", "first"]


def test_ctrl_c_finishes_the_request_at_hand(home: Path, tmp_path: Path, curriculum: Path) -> None:
    slow = f"canned:{answers(tmp_path, delay_s=0.3)}"
    settings = {"LEM_CURRICULUM": str(curriculum), "LEM_SEEDS": str(curriculum.parent / "seeds")}
    lem(home, "seed", env=settings)
    lem(home, "distill", "--phase", "trial", "--model", slow, env=settings)
    worker = subprocess.Popen(
        command("run"), env=environment(home, settings), stdout=subprocess.PIPE, text=True
    )
    until(lambda: _ends(home)["generations", 0] >= 2)

    worker.send_signal(signal.SIGINT)
    said, _ = worker.communicate(timeout=20)

    store = EmbeddedStore(home / "log.db")
    done = store.committed("lem")["requests", 0]
    store.close()
    assert worker.returncode == 130
    assert "Go on with `lem run`" in said
    assert done == _ends(home)["generations", 0] < 64


def test_a_second_worker_is_refused_with_the_first_ones_pid(
    home: Path, canned: str, curriculum: Path
) -> None:
    settings = {"LEM_CURRICULUM": str(curriculum), "LEM_SEEDS": str(curriculum.parent / "seeds")}
    lem(home, "seed", env=settings)
    worker = subprocess.Popen(command("run"), env=environment(home, settings))
    until(lambda: _begun(home))

    refused = lem(home, "run", status=1, env=settings)

    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=20) == 130
    assert f"process {worker.pid}" in refused.stderr


def _begun(home: Path) -> bool:
    """Whether a worker has read and committed something: its group is taken for good."""
    if not (home / "log.db").exists():
        return False
    store = EmbeddedStore(home / "log.db")
    try:
        return bool(store.committed("lem"))
    finally:
        store.close()


def _ends(home: Path) -> dict[tuple[str, int], int]:
    store = EmbeddedStore(home / "log.db")
    try:
        return store.ends()
    finally:
        store.close()


def _lines(home: Path) -> list[bytes]:
    found = datasets(home)
    return [line for name in found if name.endswith(".jsonl") for line in found[name].splitlines()]
