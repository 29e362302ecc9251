"""A real Kafka for tests, started when the first of them asks for it."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from infra.kafka.kafka import command, free_ports, is_taken, missing

REQUIRED = "TEST_KAFKA"
"""With the value `required` in the environment, a machine without Java fails these tests."""


class Kafka:
    """One node on a free port, with a folder of its own; it can be stopped and started again."""

    def __init__(self, *, user: str = "", password: str = "") -> None:
        self._user, self._password = user, password
        self._folder = Path(tempfile.mkdtemp(prefix="lem-kafka-"))
        (self.port,) = free_ports(1)
        self.url = f"kafka://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = command(
            self._folder / "data", self.port, user=self._user, password=self._password
        )
        with (self._folder / "out.txt").open("ab") as out:
            self._process = subprocess.Popen(program, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while not is_taken(self.port):
            assert self._process.poll() is None, (self._folder / "out.txt").read_text()
            assert time.monotonic() < deadline, "Kafka did not start within a minute"
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill it: what it acknowledged is on its disk."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)


def needed() -> None:
    """Skip the test where Kafka can't run, or fail it where it must."""
    if not (lacking := missing()):
        return
    said = f"needs Kafka, and so {' and '.join(lacking)}; see infra/README.md"
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(said)
    pytest.skip(said)
