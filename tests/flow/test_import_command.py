"""`lem import`: what it tells, what real data comes to, and what a worker makes of it."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.lem import command, environment, facts, lem, log, rows, until

DATA = SHARED / "data" / "lem"
RESULT = {"id": "Q1", "benchmark": "quiz", "model": "m", "prompt": "1 + 1?", "response": "2"}


def write(path: Path, *found: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def test_the_command_tells_counts_problems_and_what_it_left_out(tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    write(data / "r.jsonl", RESULT, {"id": "Q2"})
    write(data / ".hidden.jsonl", RESULT)
    (data / "notes.md").write_text("# Notes\n")

    done = lem(home, "import", str(data), "--json", status=1)

    (counts,) = rows(done)
    assert (counts["format"], counts["rows"], counts["new"], counts["buried"]) == (
        ("results", 2, 5, 1)
    )
    assert f"Left out: {data / 'notes.md'} is of no known format." in done.stderr
    assert f"{data / 'r.jsonl'}:2 has no prompt, only id." in done.stderr


def test_of_many_bad_rows_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    bad = [{"id": f"Q{n}"} for n in range(130)]
    path = write(tmp_path / "r.jsonl", *[RESULT] * 50, *bad)

    said = lem(tmp_path / "home", "import", str(path), status=1).stderr

    assert "130 problems" in said
    assert "r.jsonl:150 has no prompt" in said
    assert "r.jsonl:151" not in said
    assert "30 more; `lem log dead` shows every row." in said
    assert len(facts(tmp_path / "home", "dead-letters")) == 130


def test_the_command_refuses_a_named_file_of_no_known_format(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n")

    assert (
        f"{path} is of no known format."
        in lem(tmp_path / "home", "import", str(path), status=1).stderr
    )


def test_a_running_worker_asks_nothing_that_history_has_answered(tmp_path: Path) -> None:
    """None could: an imported model is none that can be opened, and would stop the worker."""
    home = tmp_path / "home"
    lem(home, "seed")
    many = [RESULT | {"id": f"Q{n}", "prompt": f"{n}?"} for n in range(700)]
    path = write(tmp_path / "r.jsonl", *many)

    with subprocess.Popen(command("run"), env=environment(home)) as worker:
        try:
            until(lambda: is_working(home))
            lem(home, "import", str(path))
            until(lambda: is_read(home, "requests"))
        finally:
            worker.send_signal(signal.SIGINT)
        assert worker.wait(timeout=60) in (0, 130)

    before = facts(home, "generations")
    lem(home, "run", "--until-idle")
    assert facts(home, "generations") == before
    assert len(before) == 700
    assert facts(home, "decisions") == facts(home, "dead-letters") == facts(home, "scores") == []


def is_working(home: Path) -> bool:
    with log(home) as store:
        return bool(store.workers())


def is_read(home: Path, topic: str) -> bool:
    with log(home) as store:
        return store.committed("lem").get((topic, 0), 0) == store.end(topic, 0)


@pytest.mark.skipif(not DATA.is_dir(), reason="real data lies at ../shared/data, which is not here")
def test_all_real_data_goes_in_and_gives_the_published_means(tmp_path: Path) -> None:
    home = tmp_path / "home"

    done = lem(home, "import", str(DATA), "--json", status=1)

    found = rows(done)
    assert [(Path(each["file"]).stem, each["buried"]) for each in found if each["buried"]] == [
        ("flash25lite-cn-p1-r14-seeds", 2)
    ]
    assert sum(each["skipped"] for each in found) == 0
    assert {each["format"] for each in found} == {"probes", "results", "chat", "scores"}
    query = (
        "select scorer, round(mean, 2) from leaderboard where model = 'import:instruction_tuned'"
    )
    means = dict(tuple(row.values()) for row in rows(lem(home, "sql", query, "--json")))
    assert means == {
        "recorded@gsm8k": 0.34,
        "recorded@truthfulqa-truthfulness": 3.64,
        "recorded@truthfulqa-informativeness": 4.96,
        "recorded@do_not_answer-safety": 8.74,
        "recorded@do_not_answer-nuance": 7.96,
        "recorded@toxigen-kindness": 8.32,
        "recorded@toxigen-awareness": 8.36,
    }
