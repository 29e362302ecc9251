"""`lem log`: topics, offsets, single records, dead letters, and the check of all."""

from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from streams.cli.log import app
from streams.config import Settings
from streams.envelope import draft
from streams.errors import LemError, LogError
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.verify import RULES
from tests.events import buried, generated, probed, put, requested, scored
from tests.lem import lem

AT_MS = 1_767_322_800_000  # 2026-01-02T03:00:00Z


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return result


def rows(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
    lines = run(*arguments, "--json", status=status).stdout.splitlines()
    return [msgspec.json.decode(line) for line in lines]


def refusal(*arguments: str) -> str:
    error = CliRunner().invoke(app, arguments).exception
    assert isinstance(error, LemError), error
    return str(error)


def shown(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(run("show", *arguments).stdout)
    return found


def test_topics_are_counted_over_their_partitions(settings: Settings) -> None:
    store = EmbeddedStore(settings.log_path)
    store.declare("probes", 2)
    store.append([Draft("probes", b"a", partition=0, at_ms=AT_MS + 1)])
    store.append([Draft("probes", b"b", partition=1, at_ms=AT_MS)])
    store.append([Draft("probes", b"c", partition=1, at_ms=AT_MS + 2)])
    store.close()

    probes, runs = rows("topics")[:2]
    assert probes == {
        "topic": "probes",
        "partitions": 2,
        "records": 3,
        "first": "2026-01-02T03:00:00.000+00:00",
        "last": "2026-01-02T03:00:00.002+00:00",
    }
    assert (runs["topic"], runs["records"], runs["first"]) == ("runs", 0, None)


def test_topics_are_a_table_for_a_person(store: EmbeddedStore) -> None:
    put(store, probed())

    table = [line.split() for line in run("topics").stdout.splitlines()]
    assert ["topic", "partitions", "records", "first", "last"] in table
    assert ["dead-letters", "1", "0", "-", "-"] in table


def test_offsets_tell_each_groups_lag(store: EmbeddedStore) -> None:
    put(store, probed("P01"), probed("P02"), probed("P03"))
    store.commit("lem", {("probes", 0): 1})
    store.commit("other", {("probes", 0): 3, ("scores", 0): 0})

    found = [tuple(row.values()) for row in rows("offsets")]
    assert found == [
        ("lem", "probes", 0, 1, 3, 2),
        ("other", "probes", 0, 3, 3, 0),
        ("other", "scores", 0, 0, 0, 0),
    ]


def test_a_record_is_shown_by_its_place(store: EmbeddedStore) -> None:
    event = generated()
    store.append([draft(event)._replace(at_ms=AT_MS)])

    assert shown("generations", "0") == {
        "topic": "generations",
        "partition": 0,
        "offset": 0,
        "logged_at": "2026-01-02T03:00:00Z",
        "key": event.request,
        "headers": {name: value.decode() for name, value in draft(event).headers},
        "event": msgspec.to_builtins(event) | {"at": "2026-01-02T03:04:05.678901Z"},
    }


def test_a_record_of_another_partition_is_shown(settings: Settings) -> None:
    store = EmbeddedStore(settings.log_path)
    store.declare("probes", 2)
    store.append([draft(probed())._replace(partition=1)])
    store.close()

    assert shown("probes", "0", "--partition", "1")["partition"] == 1


@pytest.mark.parametrize("digits", [4, 8, 32])
def test_a_record_is_shown_by_the_beginning_of_its_id(store: EmbeddedStore, digits: int) -> None:
    event = probed()
    put(store, event)

    assert shown(event.id[:digits].upper())["event"]["id"] == event.id


def test_an_ambiguous_id_lists_those_that_begin_so(store: EmbeddedStore) -> None:
    first, second = probed("P01"), probed("P02")
    store.append([draft(first)._replace(event_id="abcd" + "0" * 28)])
    store.append([draft(second)._replace(event_id="abcd" + "1" * 28)])

    found = rows("show", "abcd")
    assert [row["place"] for row in found] == ["probes[0]@0", "probes[0]@1"]
    assert [row["id"] for row in found] == [first.id, second.id]
    assert "P02  “What is fair here?”" in run("show", "abcd").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("abc",), '"abc" is too short; give at least 4 digits'),
        (("probes",), '"probes" is no event id'),
        (("0" * 33,), "is no event id"),
        (("0000",), 'has an id that begins with "0000"'),
        (("probes", "1"), "probes[0]@1 is beyond the end: the partition holds 1 records"),
        (("probes", "0", "--partition", "3"), "probes[3]@0 is beyond the end"),
        (("score", "0"), 'has no topic "score"; there are: probes, runs'),
    ],
)
def test_what_cannot_be_shown_is_refused(
    store: EmbeddedStore, arguments: tuple[str, ...], said: str
) -> None:
    put(store, probed())

    assert said in refusal("show", *arguments)


@pytest.mark.parametrize(
    ("value", "expected"), [(b"{broken", "{broken"), (b"\xff\x00", "ff00"), (None, None)]
)
def test_an_unreadable_record_is_shown_as_its_bytes(
    store: EmbeddedStore, value: bytes | None, expected: str | None
) -> None:
    store.append([Draft("probes", value, key=b"\xfe", headers=(("trace", b"1"),))])

    found = shown("probes", "0")
    assert (found["value"], found["key"], found["headers"]) == (expected, "fe", {"trace": "1"})
    assert "is not JSON" in found["error"]


def test_dead_letters_say_where_why_and_what(store: EmbeddedStore) -> None:
    put(store, buried(value=b"\xff\x00", offset=1), buried(value=b"{x", offset=2, step="score"))

    first, second = rows("dead")
    assert first["where"] == "probes[0]@1"
    assert (first["step"], first["error"], first["value"]) == ("rephrase", "not JSON", "ff00")
    assert (second["step"], second["value"]) == ("score", "{x")


def test_a_dead_letter_is_cut_unless_it_is_wanted_full(store: EmbeddedStore) -> None:
    put(store, buried(value=b"x" * 1000))

    assert rows("dead")[0]["value"] == "x" * 200 + "…"
    assert rows("dead", "--full")[0]["value"] == "x" * 1000


def test_only_the_latest_dead_letters_are_shown_and_that_is_said(store: EmbeddedStore) -> None:
    put(store, *(buried(offset=number) for number in range(5)))

    assert [row["where"] for row in rows("dead", "--limit", "2")] == ["probes[0]@3", "probes[0]@4"]
    assert "The latest 2 of 5; `--limit 5` shows all." in run("dead", "--limit", "2").stdout


def test_a_dead_letter_that_cannot_be_read_is_a_row_too(store: EmbeddedStore) -> None:
    store.append([Draft("dead-letters", b"{")])

    (row,) = rows("dead")
    assert "dead-letters[0]@0 is not JSON" in row["error"]


def test_a_sound_log_is_verified(store: EmbeddedStore) -> None:
    request = requested()
    put(store, probed(), request, generated(request), scored(generated(request)))

    output = " ".join(run("verify").stdout.split())  # a long path breaks the line
    assert "4 records read" in output
    assert "The log is sound." in output
    assert all(what in output for what in RULES.values())


def test_problems_are_listed_and_fail_the_command(store: EmbeddedStore) -> None:
    store.append([Draft("probes", b"\xff\x1b[31m")])

    output = run("verify", status=1).stdout
    assert "probes[0]@0" in output
    assert "\x1b" not in output
    assert "sound" not in output


def test_a_script_gets_counts_and_problems(store: EmbeddedStore) -> None:
    put(store, requested())

    (found,) = rows("verify", status=1)
    (problem,) = found["problems"]
    assert (found["log"], found["checked"]["order"]) == (str(store.path), 1)
    assert (problem["place"], problem["rule"]) == ("requests[0]@0", "cause")


def test_a_damaged_log_is_verified_to_its_end(store: EmbeddedStore) -> None:
    """Half of the pages are overwritten; what can't be read is told, not raised."""
    put(store, *(probed(f"P{number}", "why " * 200) for number in range(200)))
    store.close()
    content = bytearray(store.path.read_bytes())
    for at in range(8 * 8192, len(content), 2 * 8192):
        content[at : at + 100] = b"\xff" * 100
    store.path.write_bytes(content)

    (found,) = rows("verify", status=1)
    assert {problem["rule"] for problem in found["problems"]} >= {"file"}


@pytest.mark.parametrize("command", ["topics", "offsets", "dead", "verify", "show 0000"])
def test_a_log_that_is_not_there_yet_is_told(command: str) -> None:
    error = CliRunner().invoke(app, command.split()).exception

    assert isinstance(error, LogError)
    assert "Begin one with `lem seed`" in str(error)


def test_an_error_is_one_line_of_the_program(store: EmbeddedStore) -> None:
    done = lem(store.path.parent, "log", "show", "nothing", status=1)

    assert done.stdout == ""
    assert done.stderr.startswith('lem: "nothing" is no event id')
    assert done.stderr.count("\n") == 1
