"""`lem import` on a real Kafka: the same history as on the embedded log, and once."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas import Buried
from tests.kafka import Kafka
from tests.lem import events, facts, lem, log, rows

TOPICS = ("probes", "runs", "requests", "generations", "scores", "dead-letters")
AB = {
    "type": "probe",
    "id": "P1",
    "category": "trial",
    "prompt": "What is fair?",
    "conditions": {
        "baseline": {"response": "Sharing.", "lek_score": 4.6},
        "txt": {"response": "ERROR: timed out"},
    },
}
SUMMARY = {"type": "summary", "model": "m-1b", "conditions": [], "ts": "2026-02-15T01:02:03"}
RESULT = {"id": "Q1", "benchmark": "quiz", "model": "m", "prompt": "1 + 1?", "response": "2"}
SCORES = {"scores": {"quiz": {"m": {"Q1": {"correct": True}, "Q2": {"correct": False}}}}}
BAD = b'{"id": "Q3", \xff'


@pytest.fixture
def env(kafka: Kafka, prefix: str) -> dict[str, str]:
    return {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with probes, responses, scores and one row that is no JSON."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "seeds.json").write_text(json.dumps([{"id": "S1", "prompt": "Who owns the well?"}]))
    (folder / "ab.jsonl").write_bytes(lines(AB, SUMMARY))
    more = RESULT | {"id": "Q2", "prompt": "2 + 2?", "ts": "2026-02-16T00:00:00Z"}
    (folder / "results.jsonl").write_bytes(lines(RESULT, more) + BAD)
    (folder / "a-scores.json").write_text(json.dumps(SCORES))
    return folder


def lines(*found: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in found)


def told(home: Path, topic: str, env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return sorted(facts(home, topic, env), key=lambda fact: str(fact["id"]))


def test_the_same_events_stand_on_a_broker_as_on_the_embedded_log(
    tmp_path: Path, data: Path, env: dict[str, str]
) -> None:
    embedded, home = tmp_path / "embedded", tmp_path / "kafka"

    here = lem(embedded, "import", str(data), "--json", status=1)
    there = lem(home, "import", str(data), "--json", env=env, status=1)

    assert rows(there) == rows(here)
    for topic in TOPICS:
        assert told(home, topic, env) == told(embedded, topic), topic
        assert told(home, topic, env), topic
    lem(home, "log", "verify", env=env)


def test_twice_is_as_good_as_once_even_after_an_import_of_a_part(
    tmp_path: Path, data: Path, env: dict[str, str]
) -> None:
    home = tmp_path / "home"
    lem(home, "import", str(data / "ab.jsonl"), env=env)
    lem(home, "import", str(data), env=env, status=1)
    with log(home, env) as store:
        before = store.ends()

    again = rows(lem(tmp_path / "another", "import", str(data), "--json", env=env, status=1))

    with log(home, env) as store:
        assert store.ends() == before
    assert [each["new"] for each in again] == [0] * 4
    assert len(told(home, "generations", env)) == 4


def test_a_bad_row_is_buried_with_its_bytes_and_told(
    tmp_path: Path, data: Path, env: dict[str, str]
) -> None:
    said = lem(tmp_path / "home", "import", str(data), env=env, status=1).stderr

    (letter,) = events(tmp_path / "home", "dead-letters", env)
    assert f"{data / 'results.jsonl'}:3 is not UTF-8" in said
    assert isinstance(letter, Buried)
    assert (letter.value, letter.offset, letter.step) == (BAD, 2, "import")
