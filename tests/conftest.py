"""Fixtures that every test may use: each on `tmp_path`, nothing global."""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from streams.config import Settings
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests.kafka import Kafka, needed

_ENDED = pytest.StashKey[int]()
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

# How long a draw takes says something of the machine's other work, and nothing of ours.
hypothesis.register_profile(
    "lem", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
hypothesis.load_profile("lem")
for _name in ("LINES", "COLUMNS"):  # of whoever's terminal; each test says what it wants
    os.environ.pop(_name, None)
os.environ["HF_HUB_OFFLINE"] = "1"  # no test may wait for a hub


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how it ended, for `pytest_unconfigure`."""
    session.config.stash[_ENDED] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once, all having been told.

    This one process has held models, brokers and databases, each with threads of its own; when
    Python took itself apart behind them, it once ended in a segmentation fault.
    """
    is_worker = hasattr(config, "workerinput")  # which has still to tell the one that counts
    if (ended := config.stash.get(_ENDED, None)) is not None and not is_worker:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("LEM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """One Kafka for all tests that need one; each takes topics of its own."""
    needed()
    node = Kafka()
    node.start()
    yield node
    node.remove()


@pytest.fixture
def prefix() -> str:
    """The beginning of the topics of one test."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path / "home"))


@pytest.fixture
def store(settings: Settings) -> Iterator[EmbeddedStore]:
    """The embedded log with every topic declared."""
    opened = EmbeddedStore(settings.log_path)
    for topic in TOPICS:
        opened.declare(topic, settings.partitions)
    yield opened
    opened.close()
