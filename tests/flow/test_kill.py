"""The main job killed again and again ends like one that was left alone."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from agents.models.tiny import build
from streams.log.store import EmbeddedStore
from tests.lem import DATASET, command, environment, files, lem, made, told, until

KILLS = 20
TOPICS = ("probes", "runs", "requests", "generations", "scores", "decisions", "datasets")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"mlx:{build(tmp_path_factory.mktemp('model') / 'tiny')}"


def begun(home: Path, model: str) -> Path:
    lem(home, "seed")
    lem(home, "distill", "--phase", "demo", "--model", model, "--limit", "120")
    return home


def records(home: Path) -> int:
    store = EmbeddedStore(home / "log.db")
    try:
        return sum(store.ends().values())
    finally:
        store.close()


def killed(home: Path, chance: random.Random) -> bool:
    """Start a worker and kill it in the middle of its work; false when it ended before."""
    worker = subprocess.Popen(
        command("run", "--until-idle"),
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    enough = records(home) + chance.randrange(25)
    until(lambda: records(home) >= enough or worker.poll() is not None)
    time.sleep(chance.random() * 0.2)
    worker.send_signal(signal.SIGKILL)
    return worker.wait() == -signal.SIGKILL


def test_a_run_killed_twenty_times_ends_like_one_that_was_not(tmp_path: Path, model: str) -> None:
    chance = random.Random(20)
    left_alone = begun(tmp_path / "left-alone", model)
    lem(left_alone, "run", "--until-idle")
    home = begun(tmp_path / "killed", model)

    kills = sum(killed(home, chance) for _ in range(KILLS))
    lem(home, "run", "--until-idle")

    assert kills >= KILLS // 2
    for topic in TOPICS:
        assert told(home, topic) == told(left_alone, topic), topic
    assert made(home) == made(left_alone)
    assert sorted(files(home)) == sorted(DATASET)
    lem(home, "log", "verify")
