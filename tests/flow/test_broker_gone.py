"""A broker that stays away, or a foreign program that wrote to the log: an error, and no wait
without end.
"""

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.config import Settings
from streams.connect import connected, declare
from streams.errors import LogError
from streams.kafka import appending
from streams.log.records import Draft
from tests.events import probed, put
from tests.flow.test_pipeline import answers, trial
from tests.kafka import Kafka, needed
from tests.lem import command, environment, lem, log, until


@pytest.fixture
def node() -> Iterator[Kafka]:
    """A node that does not come back."""
    needed()
    node = Kafka()
    node.start()
    yield node
    node.remove()


def test_an_append_to_a_broker_that_stays_away_ends_and_so_does_closing(
    node: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Settings(home=str(tmp_path), broker=node.url)
    monkeypatch.setattr(appending, "PATIENCE_S", 1.0)
    with closing(connected(found)) as store:
        declare(store, found)
        put(store, probed("P01"))
        node.stop()

        with pytest.raises(LogError, match=r"can't write the log.*the same again does the rest"):
            store.append([Draft("probes", b"later")])


def test_a_worker_leaves_a_broker_that_stays_away_when_told_twice(
    node: Kafka, tmp_path: Path
) -> None:
    curriculum = trial(tmp_path)
    env = {
        "LEM_BROKER": node.url,
        "LEM_CURRICULUM": str(curriculum),
        "LEM_SEEDS": str(tmp_path / "seeds"),
    }
    home = tmp_path / "home"
    lem(home, "seed", env=env)
    model = f"canned:{answers(tmp_path, delay_s=0.1)}"
    lem(home, "distill", "--phase", "trial", "--model", model, env=env)
    with subprocess.Popen(command("run"), env=environment(home, env)) as worker:
        with log(home, env) as store:
            until(lambda: store.records("generations") >= 2)
        node.stop()
        worker.send_signal(signal.SIGINT)
        time.sleep(1)
        worker.send_signal(signal.SIGINT)

        assert worker.wait(timeout=30) != 0


def test_a_gap_that_a_transaction_left_is_told(kafka: Kafka, tmp_path: Path, prefix: str) -> None:
    found = Settings(home=str(tmp_path), broker=kafka.url, topic_prefix=prefix)
    with closing(connected(found)) as store:
        declare(store, found)
        for transactional in (True, False):
            end = store.end("probes", 0)
            asyncio.run(_written(kafka, f"{prefix}probes", transactional=transactional))
            # The transaction's own mark comes a little later.
            until(lambda: store.end("probes", 0) == end + 1 + transactional)  # noqa: B023

        with pytest.raises(LogError, match=rf"{prefix}probes\[0\]@1: a program wrote in a trans"):
            store.known(["0" * 32])


async def _written(kafka: Kafka, topic: str, *, transactional: bool) -> None:
    host = kafka.url.removeprefix("kafka://")
    name = topic if transactional else None
    async with (
        AIOKafkaProducer(bootstrap_servers=host, transactional_id=name) as producer,
        producer.transaction() if transactional else nullcontext(),
    ):
        await producer.send(topic, b"foreign")
