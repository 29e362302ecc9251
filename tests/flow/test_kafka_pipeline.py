"""The main job on a real Kafka: the same as on the embedded log, whatever happens to it."""

import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from schemas import Buried, Generated
from streams.log.door import Store
from tests.flow.test_pipeline import answers, trial, whole
from tests.kafka import Kafka
from tests.lem import (
    DATASET,
    command,
    environment,
    events,
    files,
    lem,
    log,
    made,
    rows,
    told,
    until,
)
from tests.models import completion, scripted

KILLS = 6
TOPICS = ("probes", "runs", "requests", "generations", "scores", "decisions", "datasets")


@pytest.fixture
def curriculum(tmp_path: Path) -> Path:
    return trial(tmp_path)


@pytest.fixture
def env(kafka: Kafka, prefix: str, curriculum: Path) -> dict[str, str]:
    """Settings for the trial phase on the broker."""
    return {
        "LEM_BROKER": kafka.url,
        "LEM_TOPIC_PREFIX": prefix,
        "LEM_CURRICULUM": str(curriculum),
        "LEM_SEEDS": str(curriculum.parent / "seeds"),
    }


def planned(home: Path, env: dict[str, str], model: str) -> None:
    lem(home, "seed", env=env)
    lem(home, "distill", "--phase", "trial", "--model", model, env=env)


@contextmanager
def worker(home: Path, env: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A worker that ends with the block, if not before."""
    started = subprocess.Popen(
        command("run", "--until-idle"), env=environment(home, env), stdout=subprocess.DEVNULL
    )
    with started:
        try:
            yield started
        finally:
            started.kill()


def test_the_same_ids_scores_decisions_and_bytes_as_on_the_embedded_log(
    tmp_path: Path, env: dict[str, str], curriculum: Path
) -> None:
    model = f"canned:{answers(tmp_path)}"
    embedded, home = tmp_path / "embedded", tmp_path / "kafka"
    whole(embedded, model, curriculum)

    planned(home, env, model)
    lem(home, "run", "--until-idle", env=env)

    for topic in TOPICS:
        assert told(home, topic, env) == told(embedded, topic), topic
    assert made(home) == made(embedded)
    assert sorted(files(home)) == sorted(DATASET)
    lem(home, "log", "verify", env=env)


def test_run_twice_adds_no_event(tmp_path: Path, env: dict[str, str]) -> None:
    home, model = tmp_path / "home", f"canned:{answers(tmp_path)}"
    planned(home, env, model)
    lem(home, "run", "--until-idle", env=env)
    with log(home, env) as store:
        before = store.ends()

    planned(home, env, model)
    lem(home, "run", "--until-idle", env=env)

    with log(home, env) as store:
        assert store.ends() == before


def test_a_run_killed_again_and_again_ends_like_one_that_was_not(
    tmp_path: Path, env: dict[str, str], curriculum: Path
) -> None:
    chance = random.Random(6)
    model = f"canned:{answers(tmp_path, delay_s=0.02)}"
    left_alone, home = tmp_path / "left-alone", tmp_path / "killed"
    whole(left_alone, model, curriculum)
    planned(home, env, model)

    kills = sum(killed(home, env, chance) for _ in range(KILLS))
    lem(home, "run", "--until-idle", env=env)

    assert kills >= KILLS // 2
    for topic in TOPICS:
        assert told(home, topic, env) == told(left_alone, topic), topic
    assert made(home) == made(left_alone)
    lem(home, "log", "verify", env=env)


def killed(home: Path, env: dict[str, str], chance: random.Random) -> bool:
    """Start a worker and kill it in the middle of its work; false when it ended before."""
    with log(home, env) as store, worker(home, env) as started:
        enough = sum(store.ends().values()) + 1 + chance.randrange(30)
        until(lambda: sum(store.ends().values()) >= enough or started.poll() is not None)
        time.sleep(chance.random() * 0.1)
        started.send_signal(signal.SIGKILL)
        return started.wait() == -signal.SIGKILL


def test_a_broker_that_stops_and_comes_back_costs_nothing(
    tmp_path: Path, env: dict[str, str], curriculum: Path
) -> None:
    node = Kafka()
    node.start()
    env = env | {"LEM_BROKER": node.url}
    model = f"canned:{answers(tmp_path, delay_s=0.02)}"
    embedded, home = tmp_path / "embedded", tmp_path / "kafka"
    whole(embedded, model, curriculum)
    planned(home, env, model)

    with worker(home, env) as started:
        with log(home, env) as store:
            until(lambda: store.records("generations") >= 5 or started.poll() is not None)
        node.stop()
        time.sleep(3)
        node.start()

        assert started.wait(timeout=90) == 0
    for topic in TOPICS:
        assert told(home, topic, env) == told(embedded, topic), topic
    assert made(home) == made(embedded)
    node.remove()


def test_two_workers_share_the_requests_and_one_goes_on_alone(
    tmp_path: Path, env: dict[str, str]
) -> None:
    home, model = tmp_path / "home", f"canned:{answers(tmp_path, delay_s=0.15)}"
    env = env | {"LEM_PARTITIONS": "4"}
    planned(home, env, model)
    with worker(home, env) as first, worker(home, env) as second, log(home, env) as store:
        # Topics of four partitions, but for the decisions' one: every other one goes to either.
        until(lambda: shares(store) == [8, 9])
        until(lambda: store.records("generations") >= 20)

        first.send_signal(signal.SIGINT)

        assert first.wait(timeout=30) == 130
        assert store.records("generations") < 64
        assert second.wait(timeout=60) == 0
    found = lem(home, "sql", "select request from generations", "--json", env=env)
    asked = [row["request"] for row in rows(found)]
    assert len(asked) == len(set(asked)) == 64
    lem(home, "log", "verify", env=env)


def test_a_worker_that_comes_while_another_has_many_under_way_costs_no_answer(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """Partitions change hands in the middle: what was being written may be asked twice, at most."""
    home, env = tmp_path / "home", env | {"LEM_PARTITIONS": "4", "LEM_CONCURRENCY": "2"}
    with ExitStack() as stack:
        reply = completion("However, it depends.")
        # Ten seconds of work, at least: a worker takes some to come.
        found = [stack.enter_context(scripted(reply, delay_s=1)) for _ in range(3)]
        lem(home, "seed", env=env)
        for url, _ in found:
            more = ("--model", f"openai:{url}#m", "--limit", "20")
            lem(home, "distill", "--phase", "trial", *more, env=env)
        with worker(home, env) as first, log(home, env) as store:
            until(lambda: store.records("generations") >= 6)
            with worker(home, env) as second:
                until(lambda: len(shares(store)) == 2)
                assert first.wait(timeout=90) == second.wait(timeout=90) == 0

    query = "select request, count(*) as n from generations group by request"
    assert [row["n"] for row in rows(lem(home, "sql", query, "--json", env=env))] == [1] * 60
    assert sum(len(asked) for _, asked in found) <= 60 + 2 * 3
    lem(home, "log", "verify", env=env)


def shares(store: Store) -> list[int]:
    """How many partitions each worker has, the fewest first."""
    workers = store.workers().get("lem", [])
    return sorted(int(re.findall(r"(\d+) partitions", worker)[0]) for worker in workers)


def test_an_answer_too_large_for_a_log_is_buried_and_stops_nobody(
    tmp_path: Path, env: dict[str, str]
) -> None:
    home = tmp_path / "home"
    model = f"canned:{answers(tmp_path, responses=['x' * (9 * 1024 * 1024), 'However, yes.'])}"
    planned(home, env, model)

    lem(home, "run", "--until-idle", env=env)

    answered = [e for e in events(home, "generations", env) if isinstance(e, Generated)]
    letters = [e for e in events(home, "dead-letters", env) if isinstance(e, Buried)]
    assert len(answered) + len(letters) == 64
    assert {letter.step for letter in letters} == {"generate"}
    assert "too large" in letters[0].error
