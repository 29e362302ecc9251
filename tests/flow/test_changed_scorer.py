"""A scorer that is another under its old name and version decides nothing, in no command."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.scorers import scorer
from streams.ids import digest
from tests.events import generated, put, requested, scored, started
from tests.flow.test_kafka_pipeline import worker
from tests.flow.test_pipeline import answers, trial
from tests.kafka import Kafka
from tests.lem import facts, lem, log, refusal, rows, until

MINE: dict[str, Any] = {
    "name": "mine",
    "version": "1",
    "summary": "Counts however.",
    "signals": {"turns": {"weight": 5.0, "count": [{"find": ["however"], "fold": True}]}},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A trial phase whose gate names a scorer of the user's own."""
    curriculum = judged_by(trial(tmp_path), "mine@1", threshold=4.0)
    written(tmp_path / "mine", MINE)
    return {
        "LEM_CURRICULUM": str(curriculum),
        "LEM_SEEDS": str(tmp_path / "seeds"),
        "LEM_SCORERS": str(tmp_path / "mine"),
    }


def judged_by(curriculum: Path, label: str, *, threshold: float) -> Path:
    found = yaml.safe_load(curriculum.read_text())
    gate = {"scorer": label, "calibrated": label, "threshold": threshold}
    found["phases"]["trial"]["gate"] |= gate
    curriculum.write_text(yaml.safe_dump(found))
    return curriculum


def written(folder: Path, definition: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "mine@1.yaml").write_text(yaml.safe_dump(definition))


def changed(folder: Path) -> None:
    signals = {"turns": MINE["signals"]["turns"] | {"weight": 1.0}}
    written(folder, MINE | {"signals": signals})


def test_a_changed_scorer_neither_scores_nor_decides_until_it_is_put_back(
    home: Path, env: dict[str, str], tmp_path: Path
) -> None:
    model = f"canned:{answers(tmp_path)}"
    lem(home, "seed", env=env)
    lem(home, "distill", "--phase", "trial", "--model", model, env=env)
    lem(home, "run", "--until-idle", env=env)
    before = {topic: facts(home, topic) for topic in ("scores", "decisions", "dead-letters")}
    judged_by(Path(env["LEM_CURRICULUM"]), "mine@1", threshold=40.0)

    changed(tmp_path / "mine")
    said = [refusal(home, *words, **env) for words in (("gate",), ("run", "--until-idle"))]

    assert said[0] == said[1]
    assert said[0].startswith("lem: Scorer mine@1 has changed: its definition is ")
    assert before["scores"][0]["definition"][:12] in said[0]
    assert {topic: facts(home, topic) for topic in before} == before
    written(tmp_path / "mine", MINE)
    (row,) = rows(lem(home, "gate", "--json", env=env))
    assert (row["accepted"], row["rejected"], row["pending"]) == (0, 64, 0)


def test_a_changed_scorer_that_no_gate_names_is_in_nobodys_way(home: Path) -> None:
    put_one(home, scorer="grammar@3", definition=digest("another"))

    lem(home, "gate")

    assert len(facts(home, "decisions")) == 1


def test_a_score_by_the_definition_of_now_beside_one_by_another_is_refused(home: Path) -> None:
    put_one(home)
    put_one(home, definition=digest("another"), score=1.0)

    said = refusal(home, "gate")

    assert scorer("lek@2").definition[:12] in said
    assert digest("another")[:12] in said
    assert facts(home, "decisions") == []


def put_one(home: Path, phase: str = "1", **fields: Any) -> None:
    """A generation with a score of these fields."""
    request = requested(phase=phase)
    answer = generated(request)
    with log(home) as store:
        for topic in ("runs", "requests", "generations", "scores"):
            store.declare(topic, 1)
        put(store, started(), request, answer, scored(answer, **fields))


def test_a_scorer_that_is_not_there_is_told_before_anything_is_decided(
    home: Path, env: dict[str, str]
) -> None:
    judged_by(Path(env["LEM_CURRICULUM"]), "mine@7", threshold=4.0)

    said = refusal(home, "run", "--until-idle", **env)

    assert said.startswith('lem: No scorer "mine" version 7; there are versions 1.')


def test_a_gate_may_judge_by_the_scores_that_history_brought(
    home: Path, env: dict[str, str]
) -> None:
    judged_by(Path(env["LEM_CURRICULUM"]), "recorded@1", threshold=4.0)
    put_one(home, phase="trial", scorer="recorded@1")

    (row,) = rows(lem(home, "gate", "--json", env=env))

    assert (row["accepted"], row["pending"]) == (1, 0)


def test_who_joins_a_worker_with_a_changed_scorer_is_refused_and_the_worker_goes_on(
    home: Path, env: dict[str, str], tmp_path: Path, kafka: Kafka, prefix: str
) -> None:
    env = env | {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}
    model = f"canned:{answers(tmp_path, delay_s=0.2)}"
    lem(home, "seed", env=env)
    lem(home, "distill", "--phase", "trial", "--model", model, env=env)
    with worker(home, env) as first, log(home, env) as store:
        until(lambda: store.records("scores") >= 3 or first.poll() is not None)
        changed(tmp_path / "mine")

        said = refusal(tmp_path / "other", "run", "--until-idle", **env)

        assert said.startswith("lem: Scorer mine@1 has changed")
        assert store.workers()["lem"]
        assert first.wait(timeout=60) == 0
    assert len({each["definition"] for each in facts(home, "scores", env)}) == 1
