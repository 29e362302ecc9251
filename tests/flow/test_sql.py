"""`lem sql` as it is typed: a query, a pipe, a prompt; rows for people and for scripts."""

import csv
import io
import os
import pty
import select
import subprocess
from pathlib import Path

import msgspec
import pytest

from streams import views
from streams.config import Settings
from streams.log.store import EmbeddedStore
from tests.events import World, put
from tests.lem import command, environment, lem, rows


@pytest.fixture
def home(store: EmbeddedStore, settings: Settings) -> Path:
    """A home whose log holds every fate of a generation."""
    put(store, *World().events)
    return settings.home_path


def typed(home: Path, *lines: str) -> str:
    """What a terminal shows when each line is typed once the prompt stands there."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        command("sql"), env=environment(home), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = ""
    for line in lines:
        shown += _until(ours, "lem> ")
        os.write(ours, f"{line}\n".encode())
    shown += _until(ours, None)
    os.close(ours)
    assert running.wait(timeout=60) == 0, shown
    return shown


def _until(terminal: int, prompt: str | None) -> str:
    """What the terminal shows up to the prompt; up to the end where there is none."""
    shown = ""
    while prompt is None or not shown.endswith(prompt):
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"nothing more after {shown!r}"
        try:
            block = os.read(terminal, 65536)
        except OSError:  # how Linux tells that the other end is closed
            block = b""
        if not block:
            assert prompt is None, f"ended after {shown!r}"
            break
        shown += block.decode()
    return shown


def test_a_query_is_answered_with_a_table(home: Path) -> None:
    done = lem(
        home, "sql", "select outcome, count(*) as n from generations group by all order by n"
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]

    assert lines[0] == ["outcome", "n"]
    assert lines[2:] == [["error", "1"], ["ok", "16"]]


def test_a_query_is_answered_with_json(home: Path) -> None:
    query = "select generation, score, findings from decisions where verdict = 'held' limit 1"
    (row,) = rows(lem(home, "sql", query, "--json"))

    assert row["score"] == 30.0
    assert row["findings"] == [{"rule": "review", "reason": "It is review."}]


def test_a_query_is_answered_with_csv(home: Path) -> None:
    query = "select scorer, signals, 1.5 as n, null as nothing from scores order by all limit 1"
    done = lem(home, "sql", query, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))

    assert row == {"scorer": "grammar@3", "signals": '{"depth":2.0}', "n": "1.5", "nothing": ""}


@pytest.mark.parametrize("flags", [("--json",), ("--format", "json")])
def test_json_is_asked_for_either_way(home: Path, flags: tuple[str, ...]) -> None:
    assert rows(lem(home, "sql", "select 1.5 as n", *flags)) == [{"n": 1.5}]


def test_two_columns_of_one_name_both_come_through(home: Path) -> None:
    (row,) = rows(lem(home, "sql", "select 1 as id, 2 as id, 3 as id_1", "--json"))

    assert row == {"id": 1, "id_1": 2, "id_1_1": 3}


@pytest.mark.parametrize(
    ("limit", "shown", "said"),
    [("2", 2, "11 more; --limit 0 shows all."), ("13", 13, ""), ("0", 13, "")],
)
def test_a_long_table_is_cut_and_the_rest_told(
    home: Path, limit: str, shown: int, said: str
) -> None:
    done = lem(home, "sql", "select range from range(13)", "--limit", limit)

    assert len(done.stdout.split()) == 2 + shown
    assert done.stderr.strip() == said


def test_no_row_of_json_is_cut(home: Path) -> None:
    assert len(rows(lem(home, "sql", "from range(1000)", "--json", "--limit", "2"))) == 1000


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from nowhere", "Catalog Error: Table with name nowhere does not exist."),
        ("select score from progress", '"score" not found'),
        ("select at from runs", 'the columns "at", "by" and "offset" need their double quotes'),
        ("select 'x'::int", "Conversion Error"),
        ("", "There is no query"),
    ],
)
def test_a_mistake_is_one_line(home: Path, query: str, said: str) -> None:
    done = lem(home, "sql", query, status=1)

    assert said in done.stderr
    assert done.stderr.startswith("lem: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_query_comes_from_a_pipe(home: Path) -> None:
    done = subprocess.run(
        command("sql", "--json"),
        env=environment(home),
        input="select count(*) as n\nfrom runs;\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert msgspec.json.decode(done.stdout) == {"n": 2}


def test_a_home_without_a_log_is_told_so(tmp_path: Path) -> None:
    done = lem(tmp_path / "empty", "sql", "select 1", status=1)

    assert "There is no log" in done.stderr


def test_the_policies_are_those_of_the_curriculum(home: Path) -> None:
    found = rows(lem(home, "sql", "select phase, scorer, threshold from policies", "--json"))

    assert {"phase": "1", "scorer": "lek@2", "threshold": 24.0} in found


def test_the_prompt_goes_on_after_a_mistake_and_leaves_on_exit(home: Path) -> None:
    shown = typed(home, "select * from nowhere", "", "select 6 * 7 as answer", "exit")

    assert "lem: Catalog Error" in shown
    assert "42" in shown
    assert "Traceback" not in shown


def test_the_prompt_leaves_at_the_end_of_input(home: Path) -> None:
    assert "42" in typed(home, "select 6 * 7 as answer", "\x04")


def test_the_prompt_lists_every_view_with_what_one_row_is(home: Path) -> None:
    shown = " ".join(typed(home, r"\d", "exit").split())

    for view in views.load():
        assert view.name in shown
    assert "One row per generation that may be trained on" in shown
    assert "policies" in shown
    assert "log_probes" not in shown


def test_the_prompt_lists_the_columns_of_a_view(home: Path) -> None:
    shown = typed(home, r"\d progress", r"\d nowhere", "exit")

    assert "started_at" in shown
    assert "TIMESTAMP WITH TIME ZONE" in shown
    assert r'No view "nowhere"; \d lists those that there are.' in shown
