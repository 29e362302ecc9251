"""Each fault that a log can have is made on purpose, and must be found; a sound log has none."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas import Event
from schemas.codec import encode
from streams.envelope import draft
from streams.ids import sealed
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.verify import RULES, Problem, examined, verify
from tests.events import buried, decided, generated, materialized, probed, requested, scored


def chain(**of_score: Any) -> list[Event]:
    """A probe and what came of it, down to a decision."""
    probe = probed()
    request = requested(probe)
    generation = generated(request)
    score = scored(generation, **of_score)
    return [probe, request, generation, score, decided(score)]


def append(store: EmbeddedStore, *events: Event, **changes: Any) -> None:
    """Append the events, their records changed so."""
    store.append([draft(event)._replace(**changes) for event in events])


def rules(store: EmbeddedStore) -> list[str]:
    return [problem.rule for problem in verify(store)]


def behind_its_back(store: EmbeddedStore, statement: str) -> None:
    """Change the file as nobody may: the triggers are dropped first."""
    with sqlite3.connect(store.path) as db:
        for name in ("records_are_not_updated", "records_are_not_deleted"):
            db.execute(f"drop trigger {name}")
        db.execute(statement)
    db.close()


def test_a_sound_log_has_no_problem(store: EmbeddedStore) -> None:
    append(store, *chain())
    store.commit("lem", {("scores", 0): 1})

    assert verify(store) == []


def test_what_was_checked_is_counted(store: EmbeddedStore) -> None:
    append(store, *chain())

    checked = examined(store).checked
    assert list(checked) == list(RULES)
    assert (checked["order"], checked["cause"], checked["generation"]) == (5, 4, 1)


def test_progress_is_told_for_every_record(store: EmbeddedStore) -> None:
    append(store, *(probed(probe=f"P{number}") for number in range(450)))
    told: list[int] = []

    verify(store, progress=told.append)

    assert sum(told) == 450
    assert len(told) > 1


def test_a_changed_letter_of_a_response_is_found(store: EmbeddedStore) -> None:
    append(store, *chain())
    behind_its_back(
        store,
        "update records set value = cast(replace(value, 'response', 'Response') as blob)"
        " where topic = 4",
    )

    assert "bytes" in rules(store)


def test_bytes_that_are_no_event_are_told_by_their_place(store: EmbeddedStore) -> None:
    append(store, probed())
    store.append([Draft("probes", b"\xff{")])

    (problem,) = verify(store)
    assert (problem.place, problem.rule) == ("probes[0]@1", "unreadable")
    assert "`lem log show probes 1 --partition 0`" in problem.message


def test_an_event_on_a_topic_not_its_own_is_told(store: EmbeddedStore) -> None:
    append(store, probed(), topic="scores")

    assert rules(store) == ["unreadable"]


def test_an_id_that_does_not_fit_its_content_is_told(store: EmbeddedStore) -> None:
    wrong = msgspec.structs.replace(probed(), prompt="Something else?")
    append(store, wrong)

    (problem,) = verify(store)
    assert problem.rule == "id"
    assert wrong.id in problem.message
    assert sealed(wrong).id in problem.message


@pytest.mark.parametrize("cause", ["0" * 32, "no id at all", "abc"])
def test_a_missing_cause_is_told(store: EmbeddedStore, cause: str) -> None:
    append(store, requested(cause=cause))

    assert verify(store) == [
        Problem("requests[0]@0", "cause", f'its cause "{cause}" is not on the log.')
    ]


def test_a_cause_may_stand_in_a_later_topic(store: EmbeddedStore) -> None:
    dataset = materialized()
    append(store, dataset, probed(cause=dataset.id))

    assert verify(store) == []


def test_an_unreadable_cause_is_told_once(store: EmbeddedStore) -> None:
    probe, request = chain()[:2]
    append(store, probe, value=b"{}")
    append(store, request)

    assert rules(store) == ["bytes", "unreadable"]


def test_an_event_that_stands_twice_is_told(store: EmbeddedStore) -> None:
    append(store, probed())
    append(store, probed(), event_id=None)
    append(store, probed(), event_id=None)

    (problem,) = verify(store)
    assert (problem.place, problem.rule) == ("probes[0]@1", "repeated")
    assert "3 times, the first at probes[0]@0" in problem.message


def test_two_generations_for_one_request_are_told(store: EmbeddedStore) -> None:
    first = generated(cause=None, response="Yes.")
    again = msgspec.structs.replace(first, id="0" * 32, response="No.")
    append(store, first, again)

    assert rules(store) == ["id", "generation"]


def test_two_scores_by_one_version_are_told_and_so_are_its_two_definitions(
    store: EmbeddedStore,
) -> None:
    *rest, score, _ = chain(definition="a" * 64)
    other = sealed(msgspec.structs.replace(score, definition="b" * 64))
    append(store, *rest, score, other)

    score_problem, definition_problem = verify(store)
    assert (score_problem.rule, score_problem.place) == ("score", "scores[0]@1")
    assert (definition_problem.rule, definition_problem.place) == ("definition", "scores[0]@1")
    assert "aaaaaaaaaaaa at scores[0]@0" in definition_problem.message


def test_a_later_version_may_score_again(store: EmbeddedStore) -> None:
    *rest, score, _ = chain(scorer="lek@2")
    other = sealed(msgspec.structs.replace(score, scorer="lek@3", definition="b" * 64))
    append(store, *rest, score, other)

    assert verify(store) == []


def test_a_redefined_scorer_is_told_once_however_many_it_scored(store: EmbeddedStore) -> None:
    answers = [generated(requested(sample=number), cause=None) for number in range(6)]
    append(store, *answers)
    append(store, *(scored(each, definition="a" * 64) for each in answers[:3]))
    append(store, *(scored(each, definition="b" * 64) for each in answers[3:]))

    assert rules(store) == ["definition"]


def test_a_group_beyond_the_end_is_told(store: EmbeddedStore) -> None:
    append(store, probed())
    store.commit("lem", {("probes", 0): 7})

    assert verify(store) == [
        Problem("probes[0]@7", "committed", 'group "lem" is at offset 7, but the log ends at 1.')
    ]


def test_a_topic_of_someone_else_is_checked_for_its_order_alone(store: EmbeddedStore) -> None:
    store.declare("elsewhere", 1)
    store.append([Draft("elsewhere", b"no event")])

    assert verify(store) == []


def test_a_dead_letter_is_not_followed(store: EmbeddedStore) -> None:
    append(store, buried(value=b"\xff"))

    assert verify(store) == []


def test_many_problems_of_a_kind_are_cut_and_counted(store: EmbeddedStore) -> None:
    store.append([Draft("probes", b"%d" % number) for number in range(130)])

    problems = verify(store)
    assert len(problems) == 101
    assert problems[-1] == Problem("log", "unreadable", "30 more of this kind are not listed.")


def test_a_gap_is_told(store: EmbeddedStore) -> None:
    append(store, *(probed(probe=f"P{number}") for number in range(5)))
    behind_its_back(store, "delete from records where offset in (1, 2)")

    assert verify(store) == [
        Problem("probes[0]@3", "order", "offsets 1 to 2 are missing before it.")
    ]


def test_time_that_goes_back_is_told(store: EmbeddedStore) -> None:
    append(store, *(probed(probe=f"P{number}") for number in range(3)), at_ms=5_000)
    behind_its_back(store, "update records set at_ms = 2000 where offset = 1")

    (problem,) = verify(store)
    assert (problem.place, problem.rule) == ("probes[0]@1", "order")
    assert "3,000 ms before" in problem.message


def test_a_damaged_file_is_told_by_sqlite(store: EmbeddedStore, tmp_path: Path) -> None:
    """Flip a byte in the head of every second page of a copy; the first page holds the schema."""
    append(store, *(probed(probe=f"P{number}", prompt="why " * 200) for number in range(200)))
    store.close()  # so that all of it is in the one file
    copy = tmp_path / "copy.db"
    shutil.copy(store.path, copy)
    content = bytearray(copy.read_bytes())
    for at in range(8 * 8192, len(content), 2 * 8192):
        content[at + 3] ^= 0xFF
    copy.write_bytes(content)

    damaged = EmbeddedStore(copy)
    found = rules(damaged)
    damaged.close()
    assert "file" in found


def test_a_letter_changed_in_the_middle_of_a_page_is_found(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    append(store, *(probed(probe=f"P{number}", prompt="why " * 200) for number in range(50)))
    store.close()
    copy = tmp_path / "copy.db"
    content = store.path.read_bytes()
    at = content.index(b"why why", len(content) // 2)
    copy.write_bytes(content[:at] + b"W" + content[at + 1 :])

    damaged = EmbeddedStore(copy)
    found = rules(damaged)
    damaged.close()
    assert found == ["bytes", "id"]


def test_encoded_events_are_compared_as_they_are_read(store: EmbeddedStore) -> None:
    """Blanks between the tokens of the JSON change no id."""
    value = msgspec.json.format(encode(probed()), indent=2)
    append(store, probed(), value=value, headers=())

    assert verify(store) == []
