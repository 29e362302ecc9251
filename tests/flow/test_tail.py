"""`lem tail`: what it shows, what it leaves out, how it ends."""

import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner, Result

from schemas import File
from streams.cli.tail import described, tail
from streams.envelope import draft
from streams.errors import ConfigError, LemError
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from tests.events import (
    buried,
    decided,
    generated,
    materialized,
    probed,
    put,
    requested,
    reviewed,
    scored,
    started,
)
from tests.lem import command, environment

AT_MS = 1_767_322_800_000  # 2026-01-02T03:00:00Z

app = typer.Typer()
app.command()(tail)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def lines(*arguments: str) -> list[str]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def rows(*arguments: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in lines(*arguments, "--json")]


def test_every_type_has_its_line() -> None:
    request = requested(probed("P07", "Is\nit right?"))
    generation = generated(request, response="Perhaps.", completion_tokens=1234)
    score = scored(generation, 17.5)
    gate = decided(score, "rejected", rule="threshold")
    short = generation.id[:8]

    assert [
        described(event).plain
        for event in (
            probed("P07~urgency", "Is\nit right?", rephrasing_of="P07", kind="urgency"),
            started("distill-1-abc", samples=3, requests=1200),
            request,
            generation,
            generated(request, response="", outcome="error", error="No answer after 5 tries."),
            score,
            gate,
            reviewed(gate, "rejected", note="Too sure."),
            buried(error="not JSON"),
        )
    ] == [
        "P07~urgency (urgency of P07)  “Is it right?”",
        "distill-1-abc  phase 1  canned:answers.jsonl  kernel lek-1.json"
        "  1,200 requests, 3 for each prompt",
        f"{request.id[:8]}  P07 #0  canned:answers.jsonl  “Is it right?”",
        f"{short}  P07 #0  ok  1,234 tokens  “Perhaps.”",
        f"{short}  P07 #0  error  0 tokens  No answer after 5 tries.",
        f"lek@2  17.50  generation {short}",
        f"rejected  gate  generation {short}  lek@2 17.50  threshold: It is threshold.",
        f"rejected  by Ada  generation {short}  “Too sure.”",
        "rephrase could not use probes[0]@7: not JSON",
    ]


def test_a_response_cannot_steer_the_terminal(store: EmbeddedStore) -> None:
    put(store, generated(response="\x1b[2Jgone\x07 \x9b31m"))

    (line,) = lines("generations")
    assert line.isprintable()
    assert "gone" in line


def test_the_latest_ten_are_shown_without_a_start(store: EmbeddedStore) -> None:
    put(store, *(probed(f"P{number:02}") for number in range(25)))

    shown = [row["event"]["probe"] for row in rows("probes")]
    assert shown == [f"P{number:02}" for number in range(15, 25)]


def test_a_count_alone_is_of_the_latest(store: EmbeddedStore) -> None:
    put(store, *(probed(f"P{number:02}") for number in range(25)))

    assert [row["offset"] for row in rows("probes", "-n", "3")] == [22, 23, 24]


def test_a_count_after_a_start_ends_the_reading(store: EmbeddedStore) -> None:
    put(store, *(probed(f"P{number:02}") for number in range(25)))

    assert [row["offset"] for row in rows("probes", "-o", "start", "-n", "3")] == [0, 1, 2]


def test_json_holds_the_event_just_as_it_stands_on_the_log(store: EmbeddedStore) -> None:
    event = probed()
    value = msgspec.json.format(draft(event).value or b"", indent=2)
    store.append([draft(event)._replace(value=value, at_ms=AT_MS)])

    assert rows("probes") == [
        {
            "topic": "probes",
            "partition": 0,
            "offset": 0,
            "logged_at": "2026-01-02T03:00:00Z",
            "event": msgspec.json.decode(value),
        }
    ]


def test_an_unreadable_record_is_shown_and_stops_nothing(store: EmbeddedStore) -> None:
    store.append([Draft("probes", b"\xff{"), draft(probed("P02"))])

    bad, good = rows("probes")
    assert (bad["event"], bad["value"]) == (None, "\\xff{")
    assert "probes[0]@0 is not JSON" in bad["error"]
    assert good["event"]["probe"] == "P02"
    assert "unreadable  probes[0]@0 is not JSON" in lines("probes")[0]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--probe", "P02"), ["P02"]),
        (("--model", "gemma"), ["P03"]),
        (("--run", "other"), ["P04"]),
        (("--run", "distill", "--model", "canned"), ["P01", "P02"]),
        (("--model", "unheard-of"), []),
    ],
)
def test_filters_keep_what_matches_them_all(
    store: EmbeddedStore, flags: tuple[str, ...], expected: list[str]
) -> None:
    asked = (
        requested(probed("P01")),
        requested(probed("P02")),
        requested(probed("P03"), model="mlx:gemma"),
        requested(probed("P04"), run="other"),
    )
    store.append([*(draft(each) for each in asked), Draft("requests", b"{")])

    assert [row["event"]["probe"] for row in rows("requests", *flags)] == expected


@pytest.mark.parametrize(
    ("topic", "flag", "having"),
    [
        ("scores", "--model", "runs, requests, generations"),
        ("decisions", "--probe", "probes, requests, generations"),
        ("probes", "--run", "runs, requests, generations, scores, decisions, reviews, datasets"),
    ],
)
def test_a_filter_that_a_topic_lacks_is_refused(
    store: EmbeddedStore, topic: str, flag: str, having: str
) -> None:
    error = run(topic, flag, "x").exception

    assert isinstance(error, ConfigError)
    assert f"those of {having} do" in str(error)


def test_an_unknown_topic_is_refused_and_the_known_are_named(store: EmbeddedStore) -> None:
    error = run("score").exception

    assert isinstance(error, LemError)
    assert str(error).startswith('There is no topic "score"; there are: probes, runs, requests')


def test_a_log_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    error = run("probes", "-f").exception

    assert isinstance(error, LemError)
    assert "Begin one with `lem seed`" in str(error)


def started_tail(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command("tail", *arguments),
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_ends_a_tail_quietly(store: EmbeddedStore) -> None:
    put(store, probed())
    with started_tail(store.path.parent, "probes", "-f", "-o", "start") as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)

    assert (process.returncode, rest, said) == (130, "", "")


def test_a_live_tail_shows_a_record_that_comes_later(store: EmbeddedStore) -> None:
    put(store, probed())
    with started_tail(
        store.path.parent, "probes", "-f", "-o", "-1", "-n", "2", "--json"
    ) as process:
        assert process.stdout
        first = process.stdout.readline()
        put(store, probed("P02"))
        rest, said = process.communicate(timeout=60)

    found = [msgspec.json.decode(line)["event"]["probe"] for line in (first, *rest.splitlines())]
    assert (process.returncode, found, said) == (0, ["P01", "P02"], "")


def test_a_closed_pipe_ends_a_tail_quietly(store: EmbeddedStore) -> None:
    """As `| head -1` does; the rest is more than a pipe holds."""
    put(store, *(probed(f"P{number}", "why " * 50) for number in range(2000)))
    with started_tail(store.path.parent, "probes", "-o", "start", "--json") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, "")


def test_a_terminal_gets_colours_and_lines_of_its_width(store: EmbeddedStore) -> None:
    put(store, generated(response="why " * 100))
    terminal, its_end = pty.openpty()
    more = {"TERM": "xterm-256color", "COLUMNS": "60", "NO_COLOR": ""}
    subprocess.run(
        command("tail", "generations"),
        env=environment(store.path.parent, more),
        stdout=its_end,
        check=True,
        timeout=60,
    )
    output = os.read(terminal, 65536).decode().replace("\r\n", "\n")
    os.close(its_end)
    os.close(terminal)

    (line,) = Text.from_ansi(output).plain.splitlines()
    assert "\x1b[32mok" in output
    assert (len(line), line[-1]) == (60, "…")


def test_a_dataset_has_its_files_in_its_line() -> None:
    files = (File(name="train.jsonl", rows=1200, sha256="0" * 64),)
    made = materialized(phase="2", files=files)

    assert described(made).plain == f"{made.id[:8]}  phase 2  lek@2  train.jsonl 1,200"
