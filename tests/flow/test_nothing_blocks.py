"""No record stops the others for ever, and what was passed over once is come back to."""

import json
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from schemas import Buried, Decided, Generated, Scored
from schemas.base import Fact
from streams.curriculum import load
from streams.envelope import draft
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from tests.events import decided, generated, put, requested, scored
from tests.lem import PROJECT, command, environment, events, lem, rows
from tests.models import Reply, completion, scripted

TEXT = "However, they might see it from another perspective: consent and dignity are in tension."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def canned(folder: Path, name: str = "good.jsonl") -> str:
    path = folder / name
    path.write_text(json.dumps({"prompt": "*", "responses": [TEXT]}) + "\n")
    return f"canned:{path}"


def planned(home: Path, model: str, count: int) -> None:
    lem(home, "seed")
    lem(home, "distill", "--phase", "demo", "--model", model, "--limit", str(count))


@contextmanager
def opened(home: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(home / "log.db")
    yield store
    store.close()


def outcomes(home: Path) -> list[str]:
    return [e.outcome for e in events(home, "generations") if isinstance(e, Generated)]


def graves(home: Path) -> list[tuple[str, str]]:
    found = [e for e in events(home, "dead-letters") if isinstance(e, Buried)]
    return [(each.topic, each.step) for each in found]


def test_a_request_that_is_refused_is_an_outcome_and_the_next_is_asked(home: Path) -> None:
    refusal = Reply({"error": {"message": "maximum context length is 12"}}, 400)
    with scripted(refusal, completion(TEXT)) as (url, _):
        planned(home, f"openai:{url}#m", 2)
        lem(home, "run", "--until-idle")

    assert sorted(outcomes(home)) == ["error", "ok"]
    errors = [event.error for event in events(home, "generations") if isinstance(event, Generated)]
    assert "maximum context length" in "".join(filter(None, errors))


def test_a_model_that_cannot_be_opened_can_be_passed_by(home: Path, tmp_path: Path) -> None:
    planned(home, "mlx:no/such-model", 2)
    planned(home, canned(tmp_path), 3)

    stopped = lem(home, "run", "--until-idle", status=1)
    lem(home, "run", "--until-idle", "--skip-failing")

    assert "`lem run --skip-failing`" in stopped.stderr
    assert sorted(outcomes(home)) == ["error"] * 2 + ["ok"] * 3


def test_a_phase_that_was_missing_is_scored_when_it_is_back(home: Path, tmp_path: Path) -> None:
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    del found["phases"]["demo"]
    path = tmp_path / "without.yaml"
    path.write_text(yaml.safe_dump(found))
    planned(home, canned(tmp_path), 3)

    lem(home, "run", "--until-idle", env={"LEM_CURRICULUM": str(path)})
    before = len(events(home, "scores"))
    lem(home, "run", "--until-idle")

    assert (before, len(events(home, "scores"))) == (0, 3)
    assert len([e for e in events(home, "decisions") if isinstance(e, Decided)]) > 3
    assert len(events(home, "datasets")) == 1


@pytest.mark.parametrize("command", ["run", "gate", "materialize"])
def test_a_record_whose_partner_is_missing_stops_nobody(
    home: Path, tmp_path: Path, command: str
) -> None:
    """A score without its generation, a decision without one, a request without its run."""
    planned(home, canned(tmp_path), 3)
    lem(home, "run", "--until-idle")
    absent = generated(requested(phase="demo"), phase="demo")
    policy = load(PROJECT / "seeds" / "curriculum.yaml").phase("demo").policy
    alone: list[Fact] = [
        requested(phase="demo", run="gone", kernel="lek-1.json"),
        scored(absent, phase="demo"),
        decided(scored(absent, phase="demo"), phase="demo", policy=policy),
    ]
    with opened(home) as store:
        put(store, *alone)
    arguments = {"run": ("--until-idle",), "gate": (), "materialize": ("--phase", "demo")}

    lem(home, command, *arguments[command])
    lem(home, "run", "--until-idle")

    assert set(graves(home)) == {
        ("requests", "generate"),
        ("scores", "gate"),
        ("decisions", "dedup"),
    }
    assert outcomes(home).count("ok") == 3


@pytest.mark.parametrize("topic", ["runs", "reviews", "datasets"])
def test_unreadable_records_of_topics_without_an_agent_are_buried(home: Path, topic: str) -> None:
    lem(home, "seed")
    with opened(home) as store:
        store.append([Draft(topic, b'{"type":"unheard of"}')])

    lem(home, "run", "--until-idle")
    lem(home, "run", "--until-idle")

    assert graves(home) == [(topic, "settle")]
    assert topic in lem(home, "log", "dead").stdout


def test_a_score_of_an_unreadable_generation_does_not_stop_settling(home: Path) -> None:
    lem(home, "seed")
    absent = generated(requested(phase="demo"), phase="demo")
    with opened(home) as store:
        store.append([draft(absent)._replace(value=b"{}")])
        put(store, scored(absent, phase="demo"))

    lem(home, "gate")

    assert [e for e in events(home, "scores") if isinstance(e, Scored)]
    assert events(home, "decisions") == []


def test_no_dataset_is_made_of_nothing(home: Path) -> None:
    lem(home, "seed")

    refused = lem(home, "materialize", "--phase", "1", status=1)

    assert "`lem distill --phase 1`" in refused.stderr
    assert events(home, "datasets") == []


def test_gate_refuses_an_unknown_phase(home: Path) -> None:
    lem(home, "seed")

    assert '"9"' in lem(home, "gate", "--phase", "9", status=1).stderr


def test_a_probe_is_in_one_set(home: Path, tmp_path: Path) -> None:
    seed = [{"id": "S1", "domain": "D", "prompt": "Why?"}]
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(json.dumps(seed))
    lem(home, "seed", str(tmp_path / "one.json"))

    refused = lem(home, "seed", str(tmp_path / "two.json"), status=1)

    assert 'is on the log in the set "one"' in refused.stderr


def test_no_original_may_have_a_rephrasings_id(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps([{"id": "S1_R_PERS", "domain": "D", "prompt": "Why?"}]))

    assert "ends like a rephrasing's" in lem(home, "seed", str(path), status=1).stderr


def test_every_round_of_retries_is_told(home: Path) -> None:
    with scripted(Reply("no", 400)) as (url, _):
        planned(home, f"openai:{url}#m", 1)
        again = ("distill", "--phase", "demo", "--model", f"openai:{url}#m", "--limit", "1")
        for _ in range(2):
            lem(home, "run", "--until-idle")
            assert rows(lem(home, *again, "--retry", "--json"))[0]["new requests"] == 1

    assert len(events(home, "runs")) == 3


def test_a_full_disk_stops_the_worker_with_one_line_and_loses_nothing(
    home: Path, tmp_path: Path
) -> None:
    """The disk is full for the worker alone: no file of it may grow beyond the log's size."""
    planned(home, canned(tmp_path), 30)
    room = (home / "log.db").stat().st_size + 50_000

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    stopped = subprocess.run(
        command("run", "--until-idle"),
        env=environment(home),
        preexec_fn=full,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lem(home, "run", "--until-idle")

    assert stopped.returncode == 1
    assert stopped.stderr.startswith("lem: ")
    assert stopped.stderr.count("\n") == 1
    assert "make room on the disk" in stopped.stderr
    assert outcomes(home) == ["ok"] * 30
    lem(home, "log", "verify")
