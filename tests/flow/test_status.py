"""`lem status`: counts, how far each run is, its pace, and whether a worker is at it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner, Result

from schemas.base import Fact
from streams.cli.status import status
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.envelope import draft
from streams.errors import ConfigError, LogError
from streams.log.group import held
from streams.log.group import holders as workers
from streams.log.store import EmbeddedStore
from tests.events import decided, deduped, generated, probed, put, requested, scored, started

app = typer.Typer()
app.command()(status)

_HOLDER = """
import sys
from pathlib import Path
from streams.log.group import held
with held(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result


def found(*arguments: str) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.json.decode(run(*arguments, "--json").stdout)
    return shown


@pytest.fixture
def phase(settings: Settings) -> Phase:
    return load(Path(settings.curriculum)).phase("demo")


def asked(store: EmbeddedStore, phase: Phase, run: str, count: int) -> list[Any]:
    put(store, started(run, phase=phase.name, requests=count))
    requests = [
        requested(probed(f"P{number}"), run=run, phase=phase.name) for number in range(count)
    ]
    put(store, *requests)
    return requests


@contextmanager
def holder(log: Path, group: str) -> Iterator[int]:
    """Another process that holds the group, as a worker does."""
    command = [sys.executable, "-c", _HOLDER, str(log), group]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process.pid
        process.communicate("")


def test_records_are_counted_for_every_topic(store: EmbeddedStore) -> None:
    put(store, probed("P01"), probed("P02"), generated())

    topics = found()["topics"]
    assert (topics["probes"], topics["generations"], topics["dead-letters"]) == (2, 1, 0)


def test_a_run_tells_how_far_it_is(store: EmbeddedStore, phase: Phase) -> None:
    requests = asked(store, phase, "distill-demo-aa", 4)
    answers = [generated(each, response=each.probe) for each in requests[:3]]
    scores = [scored(each, 20.0, scorer=phase.gate.scorer) for each in answers]
    good = decided(scores[0], policy=phase.policy)
    bad = decided(scores[1], "rejected", rule="threshold", policy=phase.policy)
    put(store, *answers, *scores, good, bad, deduped(good))

    (row,) = found()["runs"]
    assert row["run"] == "distill-demo-aa"
    counts = ("requests", "generated", "failed", "scored", "accepted", "held", "rejected")
    assert [row[name] for name in counts] == [4, 3, 0, 3, 1, 0, 1]
    assert found()["rejections"] == [{"phase": "demo", "rule": "threshold", "generations": 1}]


def logged(store: EmbeddedStore, event: Fact, ago_s: float) -> None:
    """Append an event as if some seconds ago."""
    at_ms = int((datetime.now(UTC).timestamp() - ago_s) * 1000)
    store.append([draft(event)._replace(at_ms=at_ms)])


def test_pace_and_time_left_follow_from_the_last_minutes(
    store: EmbeddedStore, phase: Phase
) -> None:
    """Two answers, logged two minutes ago and now: about one a minute, and two to go."""
    requests = asked(store, phase, "distill-demo-aa", 4)
    for request, ago_s in zip(requests, (120, 0), strict=False):
        logged(store, generated(request, completion_tokens=60), ago_s)

    (row,) = found()["runs"]
    assert row["answers_per_s"] == pytest.approx(1 / 60, rel=0.2)
    assert row["tokens_per_s"] == pytest.approx(1, rel=0.2)
    assert row["left_s"] == pytest.approx(2 / row["answers_per_s"])


def test_the_time_in_which_the_first_answer_was_written_counts(
    store: EmbeddedStore, phase: Phase
) -> None:
    """Sixty answers that were written side by side for a minute make one a second."""
    requests = asked(store, phase, "distill-demo-aa", 61)
    for request in requests[:60]:
        logged(store, generated(request, prefill_s=10.0, decode_s=50.0), 0)

    (row,) = found()["runs"]
    assert row["answers_per_s"] == pytest.approx(1, rel=0.2)


def test_tokens_that_were_not_read_again_are_told(store: EmbeddedStore, phase: Phase) -> None:
    requests = asked(store, phase, "distill-demo-aa", 3)
    for request, saved in zip(requests, (0, 90), strict=False):
        put(store, generated(request, prompt_tokens=100, saved_tokens=saved))

    (row,) = found()["runs"]
    assert (row["prompt_tokens"], row["saved_tokens"]) == (200, 90)
    assert row["saved_share"] == pytest.approx(0.45)
    assert "45% of prompt tokens saved" in run().stdout


def test_a_run_tells_what_servers_ask_for_it(store: EmbeddedStore, phase: Phase) -> None:
    requests = asked(store, phase, "distill-demo-aa", 3)
    put(store, *(generated(request, cost=0.25) for request in requests[:2]))

    assert found()["runs"][0]["cost"] == pytest.approx(0.5)


def test_a_phase_tells_how_long_it_takes_to_its_size(store: EmbeddedStore, phase: Phase) -> None:
    """Of two answers in a minute one is admitted: sixty rows an hour, as long as runs go on."""
    requests = asked(store, phase, "distill-demo-aa", 4)
    answers = [generated(each, response=each.probe) for each in requests[:2]]
    for answer, ago_s in zip(answers, (60, 0), strict=True):
        logged(store, answer, ago_s)
    score = scored(answers[0], 20.0, scorer=phase.gate.scorer)
    gate = decided(score, policy=phase.policy)
    put(store, score, gate, deduped(gate))
    size = phase.target.examples

    shown = found()
    (row,) = shown["phases"]
    assert (row["phase"], row["rows"], row["size"]) == ("demo", 1, size)
    assert row["rows_per_hour"] == pytest.approx(60, rel=0.2)
    assert row["left_s"] == pytest.approx(60 * (size - 1), rel=0.2)
    assert row["planned_s"] == shown["runs"][0]["left_s"] == pytest.approx(60, rel=0.2)
    assert f"phase demo: 1 of {size} rows" in run().stdout
    assert "more than is planned" in run().stdout


def test_a_phase_whose_runs_are_done_tells_no_time(store: EmbeddedStore, phase: Phase) -> None:
    (request,) = asked(store, phase, "distill-demo-aa", 1)
    put(store, generated(request))

    (row,) = found()["phases"]
    assert (row["rows_per_hour"], row["left_s"]) == (0, None)


def test_a_run_that_is_done_keeps_the_pace_of_its_last_minutes(
    store: EmbeddedStore, phase: Phase
) -> None:
    requests = asked(store, phase, "distill-demo-aa", 2)
    for request, ago_s in zip(requests, (7260, 7200), strict=True):
        logged(store, generated(request), ago_s)

    (row,) = found()["runs"]
    assert row["answers_per_s"] == pytest.approx(2 / 60, rel=0.01)
    assert row["left_s"] == 0


def test_answers_of_long_ago_tell_no_pace(store: EmbeddedStore, phase: Phase) -> None:
    requests = asked(store, phase, "distill-demo-aa", 2)
    store.append([draft(generated(requests[0]))._replace(at_ms=1)])

    (row,) = found()["runs"]
    assert (row["answers_per_s"], row["rows_per_hour"], row["left_s"]) == (None, None, None)
    assert "waiting for a worker" in run().stdout


def test_what_was_imported_has_no_pace(store: EmbeddedStore, phase: Phase) -> None:
    requests = asked(store, phase, "import-demo-aa", 1)
    put(store, generated(requests[0]))

    assert found()["runs"][0]["answers_per_s"] is None


def test_a_finished_run_has_nothing_left(store: EmbeddedStore, phase: Phase) -> None:
    (request,) = asked(store, phase, "distill-demo-aa", 1)
    put(store, generated(request))

    assert found()["runs"][0]["left_s"] == 0
    assert "done" in run().stdout


def test_runs_are_chosen_by_a_part_of_their_id(store: EmbeddedStore, phase: Phase) -> None:
    asked(store, phase, "distill-demo-aa", 1)
    asked(store, phase, "distill-demo-bb", 1)

    assert [row["run"] for row in found("--run", "-bb")["runs"]] == ["distill-demo-bb"]


def test_a_run_that_is_not_there_is_refused(store: EmbeddedStore, phase: Phase) -> None:
    asked(store, phase, "distill-demo-aa", 1)

    error = CliRunner().invoke(app, ["--run", "zz"]).exception
    assert isinstance(error, ConfigError)
    assert str(error) == 'No run\'s id holds "zz"; there are: distill-demo-aa.'


def test_a_person_reads_what_to_do_next(store: EmbeddedStore) -> None:
    output = run().stdout

    assert "none; `lem run` starts one" in output
    assert "`lem distill --phase NAME` opens one" in output


def test_a_running_worker_is_named(store: EmbeddedStore) -> None:
    with holder(store.path, "lem") as pid:
        assert found()["workers"] == {"lem": [f"process {pid}"]}
        assert f"lem (process {pid})" in run().stdout


def test_a_worker_that_ended_is_not_running(store: EmbeddedStore) -> None:
    with holder(store.path, "lem"):
        pass

    assert workers(store.path) == {}


def test_a_living_process_that_holds_no_lock_is_no_worker(store: EmbeddedStore) -> None:
    """The id of a worker that ended may be given to another process; here it is pytest's."""
    with held(store.path, "lem"):
        pass

    assert workers(store.path) == {}


def test_asking_does_not_take_the_lock(store: EmbeddedStore) -> None:
    with holder(store.path, "one") as pid, held(store.path, "two"):
        assert workers(store.path)["one"] == pid
    workers(store.path)

    with held(store.path, "one"):
        assert "one" in workers(store.path)


def test_a_log_that_is_not_there_yet_is_told() -> None:
    error = CliRunner().invoke(app, []).exception

    assert isinstance(error, LogError)
    assert "Begin one with `lem seed`" in str(error)
