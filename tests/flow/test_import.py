"""History is brought onto the log: once, whole, and so that no agent takes it for work to do."""

import json
import os
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.importing import Imported, imported, planned
from streams.envelope import events
from streams.errors import ConfigError, LogError
from streams.log.records import Draft, Place
from streams.log.store import EmbeddedStore
from streams.verify import verify
from tests.events import probed, put

AT = datetime(2026, 2, 15, 1, 2, 3, tzinfo=UTC)
AB = {
    "type": "probe",
    "id": "P1",
    "category": "trial",
    "prompt": "What is fair?",
    "conditions": {
        "baseline": {"response": "Sharing.", "lek_score": 4.6, "heuristic": {"nuance": 2}},
        "json": {"response": "<pad>", "lek_score": -19.0},
        "txt": {"response": "ERROR: timed out"},
    },
}
SUMMARY = {"type": "summary", "model": "m-1b", "conditions": [], "ts": "2026-02-15T01:02:03"}
RESULT = {"id": "Q1", "benchmark": "quiz", "model": "m", "prompt": "1 + 1?", "response": "2"}


def write(folder: Path, name: str, *found: object) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def bring(store: EmbeddedStore, *paths: Path) -> Imported:
    found = imported(store, planned(paths))
    assert verify(store) == []
    return found


def on(store: EmbeddedStore, topic: str) -> list[Any]:
    return list(events(store, topic))


def totals(found: Imported, *names: str) -> tuple[int, ...]:
    return tuple(sum(getattr(file, name) for file in found.files) for name in names)


def test_a_recorded_response_is_followed_back_to_its_probe(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    bring(store, write(tmp_path, "ab.jsonl", AB, SUMMARY))

    (probe,), started = on(store, "probes"), on(store, "runs")
    requests, answers = on(store, "requests"), on(store, "generations")
    assert {each.cause for each in requests} == {probe.id}
    assert [each.cause for each in answers] == [each.id for each in requests]
    assert [each.cause for each in on(store, "scores")] == [answers[0].id, answers[1].id]
    assert [each.run for each in answers] == [each.run for each in started]
    assert [(each.requests, each.samples) for each in started] == [(1, 1)] * 3
    assert {each.phase for each in answers} == {"history"}
    assert {each.model for each in answers} == {"import:m-1b"}


def test_how_a_recorded_response_ended_follows_from_its_text(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    bring(store, write(tmp_path, "ab.jsonl", AB, SUMMARY))

    found = [(e.kernel, e.outcome, e.response, e.error) for e in on(store, "generations")]
    assert found == [
        (None, "ok", "Sharing.", None),
        ("json", "token_leak", "<pad>", None),
        ("txt", "error", "", "timed out"),
    ]


def test_an_event_is_as_old_as_its_row_says_else_the_summary_else_the_file(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    row = RESULT | {"ts": "2026-02-16T00:00:00+01:00"}
    path = write(tmp_path, "r.jsonl", row, RESULT | {"id": "Q2"})
    os.utime(path, (AT.timestamp() + 60, AT.timestamp() + 60))

    bring(store, write(tmp_path, "ab.jsonl", AB, SUMMARY), path)

    times = [(each.probe, each.at) for each in on(store, "generations")]
    assert set(times) == {
        ("P1", AT),
        ("Q1", datetime(2026, 2, 15, 23, tzinfo=UTC)),
        ("Q2", AT.replace(minute=3)),
    }


def test_an_event_names_file_and_line_and_the_files_digest(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    bring(store, write(tmp_path, "r.jsonl", RESULT, RESULT | {"id": "Q2"}))

    _, second = on(store, "generations")
    name, _, digest = second.by.partition("@")
    assert name == "import:r.jsonl#2"
    assert len(digest) == 12


def test_importing_twice_adds_nothing(store: EmbeddedStore, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.json"
    seeds.write_text(json.dumps(["Why?", {"id": 1, "prompt": "Why?"}, {"id": 1, "prompt": "So?"}]))
    paths = (seeds, write(tmp_path, "ab.jsonl", AB, {"id": "bad"}, RESULT, SUMMARY))
    first = bring(store, *paths)
    ends = store.ends()

    again = bring(store, *paths)

    assert totals(first, "new", "buried") == (sum(ends.values()), 1)
    assert totals(again, "new", "buried") == (0, 1)
    assert store.ends() == ends


def test_responses_to_one_question_are_all_kept(store: EmbeddedStore, tmp_path: Path) -> None:
    one = write(tmp_path, "one.jsonl", RESULT, RESULT | {"response": "two"})
    other = write(tmp_path, "other.jsonl", RESULT | {"response": "II"}, RESULT)
    bring(store, one, other)
    ends = store.ends()

    bring(store, other, one)

    found = on(store, "generations")
    assert [each.response for each in found] == ["2", "two", "II"]
    assert [each.sample == 0 for each in found] == [True, False, False]
    assert store.ends() == ends


def test_an_id_with_another_prompt_becomes_a_probe_of_its_own(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    put(store, probed("P1", "An older prompt"))

    bring(store, write(tmp_path, "ab.jsonl", AB, SUMMARY))

    (_, new) = on(store, "probes")
    assert new.probe.startswith("P1_")
    assert new.original == new.probe
    assert {each.probe for each in on(store, "requests")} == {new.probe}


def test_an_id_that_the_rephrase_agent_would_give_is_left_to_it(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    bring(store, write(tmp_path, "ab.jsonl", AB | {"id": "P1_R_PERS"}, SUMMARY))

    (found,) = on(store, "probes")
    assert found.probe.startswith("P1_R_PERS_")
    assert (found.rephrasing_of, found.kind) == ("P1", "perspective")


def test_a_score_finds_its_response_here_or_on_the_log_or_is_counted(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    told = {"quiz": {"m": {"Q1": {"correct": True}, "Q9": {"correct": False}}}}
    scores = write(tmp_path, "a-scores.json", {"scores": told})
    results = write(tmp_path, "results.jsonl", RESULT)

    assert totals(bring(store, scores), "new", "skipped") == (0, 2)
    assert totals(bring(store, tmp_path), "skipped") == (1,)

    (score,), (answer,) = on(store, "scores"), on(store, "generations")
    assert (score.scorer, score.score, score.generation) == ("recorded@quiz", 1.0, answer.id)
    assert results.exists()


def test_a_score_that_the_log_has_otherwise_is_buried(store: EmbeddedStore, tmp_path: Path) -> None:
    path = write(tmp_path, "ab.jsonl", AB, SUMMARY)
    bring(store, path)
    changed = AB["conditions"] | {"baseline": {"response": "Sharing.", "lek_score": 9.9}}  # type: ignore[operator]

    found = bring(store, write(tmp_path, "ab.jsonl", AB | {"conditions": changed}, SUMMARY))

    (said,) = found.buried
    assert "ab.jsonl:1 has the score 9.9 by recorded@1, but the log has 4.6" in said
    assert {each.score for each in on(store, "scores")} == {4.6, -19.0}


def test_a_bad_row_is_buried_with_its_bytes_and_costs_no_other(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    path = write(tmp_path, "r.jsonl", RESULT)
    path.write_bytes(b'{"id": "Q0", \xff\n\n' + path.read_bytes() + b'{"id": "Q2", "response"')

    found = bring(store, path)

    assert [each.probe for each in on(store, "generations")] == ["Q1"]
    assert [each.value for each in on(store, "dead-letters")] == [
        b'{"id": "Q0", \xff',
        b'{"id": "Q2", "response"',
    ]
    assert [each.offset for each in on(store, "dead-letters")] == [0, 3]
    assert "r.jsonl:1 is not UTF-8" in found.buried[0]
    assert "r.jsonl:4 is not JSON" in found.buried[1]


def test_equal_places_of_two_files_are_two_burials(store: EmbeddedStore, tmp_path: Path) -> None:
    paths = [write(tmp_path / n, "r.jsonl", {"id": n}, RESULT) for n in ("a", "b")]

    bring(store, *paths)

    assert len(on(store, "dead-letters")) == 2


def test_a_long_line_goes_in(store: EmbeddedStore, tmp_path: Path) -> None:
    response = "long " * 500_000

    bring(store, write(tmp_path, "r.jsonl", RESULT | {"response": response}))

    (answer,) = on(store, "generations")
    assert answer.response == response


def test_more_than_a_batch_goes_in(store: EmbeddedStore, tmp_path: Path) -> None:
    many = [RESULT | {"id": f"Q{n}", "prompt": f"{n}?"} for n in range(1200)]

    bring(store, write(tmp_path, "r.jsonl", *many))

    (run,) = on(store, "runs")
    assert run.requests == len(on(store, "requests")) == len(on(store, "generations")) == 1200


class Stopping(EmbeddedStore):
    """A log whose n-th append does not come about."""

    left = 0

    def append(self, drafts: Sequence[Draft], **more: Any) -> list[Place]:
        self.left -= 1
        if self.left < 0:
            raise LogError("stopped")
        return super().append(drafts, **more)


@pytest.mark.parametrize("appends", range(5))
def test_an_import_that_stops_leaves_no_request_open_and_is_completed_by_the_next(
    store: EmbeddedStore, tmp_path: Path, appends: int
) -> None:
    """A worker would put an open request to a model, which history has no answer from."""
    write(tmp_path / "data", "ab.jsonl", AB, SUMMARY)
    write(tmp_path / "data", "r.jsonl", RESULT, RESULT | {"id": "Q2"}, {"id": "bad"})
    stopping = Stopping(store.path)
    stopping.left = appends

    with closing(stopping), suppress(LogError):
        imported(stopping, planned([tmp_path / "data"]))

    answered = {each.request for each in on(store, "generations")}
    assert {each.id for each in on(store, "requests")} <= answered
    bring(store, tmp_path / "data")
    assert len(on(store, "requests")) == len(on(store, "generations")) == 5


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no"):
        planned([tmp_path / "nowhere"])
