"""`lem rescore`: every generation once, whatever happens, and nothing generated again."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from agents.scorers import scorer
from schemas import Generated, Scored
from tests.events import generated, probed, put, requested, scored
from tests.kafka import Kafka
from tests.lem import command, environment, events, lem, log, refusal, rows, until

COUNT = 5000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def filled(home: Path, count: int, env: dict[str, str] | None = None) -> list[Generated]:
    """A log with so many generations; every other one is of another phase."""
    answers = [
        generated(
            requested(sample=number, phase=str(number % 2)),
            response=f"However, I wonder ({number}). " + "What is owed? " * (number % 7),
        )
        for number in range(count)
    ]
    with log(home, env) as store:
        for topic in ("requests", "generations", "scores"):
            store.declare(topic, 1)
        put(store, *answers)
    return answers


def told(home: Path, env: dict[str, str] | None = None) -> list[Scored]:
    return [each for each in events(home, "scores", env) if isinstance(each, Scored)]


def test_every_generation_has_the_score_that_the_scorer_gives_it(home: Path) -> None:
    answers = filled(home, 20)

    (row,) = rows(lem(home, "rescore", "--scorer", "lek@2.1", "--json"))

    by = scorer("lek@2.1")
    assert row["scored"] == 20
    assert {each.generation: each.score for each in told(home)} == {
        each.id: by.one(each.response).score for each in answers
    }
    assert {each.definition for each in told(home)} == {by.definition}
    assert rows(lem(home, "rescore", "--scorer", "lek@2.1", "--json"))[0]["scored"] == 0


def test_a_part_may_be_chosen(home: Path) -> None:
    filled(home, 20)

    (row,) = rows(lem(home, "rescore", "--scorer", "lek@2", "--phase", "1", "--json"))
    (later,) = rows(lem(home, "rescore", "--scorer", "lek@2", "--since", "2999-01-01", "--json"))
    (rest,) = rows(lem(home, "rescore", "--scorer", "lek@2", "--since", "-10m", "--json"))

    assert (row["scored"], later["scored"], rest["scored"]) == (10, 0, 10)


def test_on_a_broker_it_is_the_same(home: Path, tmp_path: Path, kafka: Kafka, prefix: str) -> None:
    env = {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}
    lem(home, "status", status=1, env=env)
    filled(tmp_path / "embedded", 20)
    filled(home, 20, env)

    for place, more in ((home, env), (tmp_path / "embedded", None)):
        lem(place, "rescore", "--scorer", "lek@2.1", env=more)

    assert {each.id for each in told(home, env)} == {
        each.id for each in told(tmp_path / "embedded")
    }


def test_a_rescore_killed_again_and_again_misses_none_and_doubles_none(home: Path) -> None:
    answers, chance = filled(home, COUNT), random.Random(3)

    kills = 0
    for _ in range(6):
        with subprocess.Popen(
            command("rescore", "--scorer", "lek@2"),
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as worker:
            time.sleep(0.6 + chance.random() * 0.4)
            worker.send_signal(signal.SIGKILL)
            kills += worker.wait() == -signal.SIGKILL
    lem(home, "rescore", "--scorer", "lek@2")

    found = [each.generation for each in told(home)]
    assert kills
    assert sorted(found) == sorted(each.id for each in answers)
    lem(home, "log", "verify", status=1)  # its generations answer no request


def test_a_killed_rescore_leaves_no_process_behind(home: Path) -> None:
    filled(home, COUNT)

    with subprocess.Popen(
        command("rescore", "--scorer", "lek@2"), env=environment(home), stdout=subprocess.PIPE
    ) as killed:
        with log(home) as store:
            until(lambda: store.end("scores", 0) > 0)
        killed.send_signal(signal.SIGKILL)
        said, _ = killed.communicate(timeout=60)  # to the end: as long as anybody holds the pipe

    assert (killed.returncode, said) == (-signal.SIGKILL, b"")


def test_a_rescore_stopped_by_hand_goes_on_where_it_was(home: Path) -> None:
    answers = filled(home, COUNT)

    with subprocess.Popen(
        command("rescore", "--scorer", "lek@2"),
        env=environment(home),
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as stopped:
        with log(home) as store:
            until(lambda: store.end("scores", 0) > 0)
        os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does, to all of its processes
        _, said = stopped.communicate(timeout=60)
    before = len(told(home))
    (row,) = rows(lem(home, "rescore", "--scorer", "lek@2", "--json"))

    assert (stopped.returncode, said, row["scored"]) == (130, b"", COUNT - before)
    assert sorted(each.generation for each in told(home)) == sorted(each.id for each in answers)


def test_others_may_write_meanwhile(home: Path) -> None:
    answers = {each.id for each in filled(home, COUNT)}

    with subprocess.Popen(
        command("rescore", "--scorer", "lek@2"),
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as rescore:
        others: list[Scored] = []
        with log(home) as store:
            while rescore.poll() is None:
                later = generated(requested(probed("later"), sample=len(others)))
                others.append(scored(later, scorer="other@1"))
                put(store, later, others[-1])
        status = rescore.wait()

    found = Counter(each.scorer for each in told(home) if each.generation in answers)
    assert (status, found) == (0, {"lek@2": COUNT})
    assert others
    assert others == [each for each in told(home) if each.scorer == "other@1"]


def test_a_changed_definition_is_refused_with_both_hashes(home: Path) -> None:
    (answer,) = filled(home, 1)
    with log(home) as store:
        put(store, scored(answer, scorer="lek@2", definition="0" * 64))

    said = refusal(home, "rescore", "--scorer", "lek@2")

    assert scorer("lek@2").definition[:12] in said
    assert "000000000000" in said
    assert "a version of its own" in said


def test_a_time_that_is_none_is_told(home: Path) -> None:
    filled(home, 1)

    assert '"soon" is no time' in refusal(home, "rescore", "--scorer", "lek@2", "--since", "soon")
