"""`lem review` on a real terminal: keys become events at once, and others review meanwhile."""

from pathlib import Path

import pytest

from schemas import Generated, Reviewed
from schemas.base import Fact
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.log.store import EmbeddedStore
from tests.events import decided, deduped, generated, probed, put, requested, scored, started
from tests.lem import events, lem, refusal, rows
from tests.terminal import Terminal, terminal

ADA = {"LEM_REVIEWER": "ada"}
NEAR, FAR, GONE, FREE = 24.5, 40.0, 3.0, 30.0


@pytest.fixture
def phase(settings: Settings) -> Phase:
    return load(Path(settings.curriculum)).phase("1")


class Log:
    """Three on hold, of one score each; one that the gate refused, one that it let pass."""

    def __init__(self, store: EmbeddedStore, phase: Phase) -> None:
        self.named: dict[str, Generated] = {}
        self._phase = phase
        put(store, started(kernel=None))
        for name, verdict, score in (
            ("far", "held", FAR),
            ("near", "held", NEAR),
            ("mid", "held", 31.0),
            ("gone", "rejected", GONE),
            ("free", "accepted", FREE),
        ):
            put(store, *self._story(name, verdict, score))

    def _story(self, name: str, verdict: str, score: float) -> list[Fact]:
        request = requested(probed(name, f"What of {name}?"))
        self.named[name] = answer = generated(request, response=f"Said of {name}.\n\x1b[31mRed")
        found = scored(answer, score)
        rule = {"held": "review", "rejected": "threshold", "accepted": ""}[verdict]
        gate = decided(found, verdict, rule=rule, policy=self._phase.policy)
        dedup = [] if verdict == "rejected" else [deduped(gate)]
        return [probed(name, f"What of {name}?"), request, answer, found, gate, *dedup]

    def id(self, name: str) -> str:
        return self.named[name].id


@pytest.fixture
def log(store: EmbeddedStore, phase: Phase) -> Log:
    return Log(store, phase)


@pytest.fixture
def home(settings: Settings) -> Path:
    return settings.home_path


def said(home: Path, log: Log) -> list[tuple[str, str, str, str]]:
    names = {answer.id: name for name, answer in log.named.items()}
    return [
        (names[e.generation], e.reviewer, e.verdict, e.note)
        for e in events(home, "reviews")
        if isinstance(e, Reviewed)
    ]


def verdicts(home: Path) -> dict[str, str]:
    found = rows(lem(home, "sql", "select probe, verdict from verdicts", "--json"))
    return {row["probe"]: row["verdict"] for row in found}


def shows(screen: Terminal, name: str, place: str) -> None:
    screen.sees(f"{name} #0")
    screen.sees(place)
    screen.sees("q quit")


def test_each_key_is_an_event_at_once(home: Path, log: Log) -> None:
    with terminal(home, "review", env=ADA) as screen:
        shows(screen, "near", "1 of 3, 0 said by ada")
        screen.types("a")
        shows(screen, "mid", "2 of 3, 1 said by ada")
        assert said(home, log) == [("near", "ada", "accepted", "")]
        screen.types("n")
        screen.sees("Note: ")
        screen.types("too sure\n")
        screen.sees("Note: too sure")
        screen.types("r")
        shows(screen, "far", "3 of 3")
        screen.types("s")
        screen.sees("That was all")
        screen.types("q")
        assert "1 accepted, 1 rejected by ada; 1 left." in screen.ends()

    assert said(home, log) == [
        ("near", "ada", "accepted", ""),
        ("mid", "ada", "rejected", "too sure"),
    ]
    assert verdicts(home) == {
        "near": "accepted",
        "mid": "rejected",
        "far": "held",
        "gone": "rejected",
        "free": "accepted",
    }
    lem(home, "log", "verify")


def test_undo_is_a_further_event_and_holds_it_again(home: Path, log: Log) -> None:
    with terminal(home, "review", "--limit", "1", env=ADA) as screen:
        shows(screen, "near", "1 of 1")
        screen.types("u")
        screen.sees("nothing to undo")
        screen.types("r")
        screen.sees("That was all")
        screen.types("u")
        screen.sees("Taken back: you had rejected it.")
        screen.sees("q quit")
        assert verdicts(home)["near"] == "held"
        screen.types("a")
        screen.sees("That was all")
        screen.types("q")
        screen.ends()

    assert [verdict for _, _, verdict, _ in said(home, log)] == [
        "rejected",
        "withdrawn",
        "accepted",
    ]
    assert verdicts(home)["near"] == "accepted"


def test_what_another_reviewed_meanwhile_is_told(home: Path, log: Log) -> None:
    with terminal(home, "review", env=ADA) as screen:
        shows(screen, "near", "1 of 3")
        lem(home, "review", log.id("near"), "--reject", "--note", "No.", "--reviewer", "bob")
        lem(home, "review", log.id("mid"), "--accept", "--reviewer", "bob")
        screen.types("a")
        screen.sees("bob rejected it (No.) while you read; press again")
        assert said(home, log)[-1][1] == "bob"
        screen.sees("q quit")
        screen.types("a")
        screen.sees("far #0")
        screen.sees("is passed over: bob accepted it meanwhile")
        lem(home, "review", log.id("near"), "--reject", "--reviewer", "bob")
        screen.types("u")
        screen.sees("bob rejected it since, and that counts")
        screen.sees("q quit")
        screen.types("q")
        screen.ends()

    assert said(home, log) == [
        ("near", "bob", "rejected", "No."),
        ("mid", "bob", "accepted", ""),
        ("near", "ada", "accepted", ""),
        ("near", "bob", "rejected", ""),
    ]


def test_two_at_once_lose_nothing(home: Path, log: Log) -> None:
    with (
        terminal(home, "review", env=ADA) as one,
        terminal(home, "review", "--reviewer", "bob") as other,
    ):
        shows(one, "near", "1 of 3")
        shows(other, "near", "1 of 3")
        one.types("a")
        shows(one, "mid", "2 of 3")
        other.types("s")
        shows(other, "mid", "2 of 3")
        other.types("r")
        shows(other, "far", "3 of 3")
        one.types("s")
        one.sees("far #0")
        for screen in (one, other):
            screen.types("q")
            screen.ends()

    assert said(home, log) == [("near", "ada", "accepted", ""), ("mid", "bob", "rejected", "")]


def test_a_long_text_is_paged_and_commands_no_terminal(home: Path, log: Log) -> None:
    with terminal(home, "review", "--limit", "1", env=ADA, rows=10) as screen:
        first = screen.sees("page 1 of 2")
        screen.sees("q quit")
        screen.types(" ")
        second = screen.sees("page 2 of 2")
        screen.sees("q quit")
        screen.types(" ")
        screen.sees("That was all of it.")
        screen.sees("q quit")
        screen.types("\x1b[A")
        screen.sees("page 1 of 2")
        screen.sees("q quit")
        screen.types("x")
        screen.sees("No such key")
        screen.sees("q quit")
        screen.types("?")
        screen.sees("Any key goes on.")
        screen.types(" ")
        screen.sees("q quit")
        screen.types("\x04")
        screen.ends()

    assert "On hold (review: It is review.)" in first
    assert "What of near?" in first
    assert "Red" not in first
    assert "\ufffd[31mRed" in second


def test_ctrl_c_leaves_what_was_said_and_the_terminal_as_it_was(home: Path, log: Log) -> None:
    with terminal(home, "review", env=ADA) as screen:
        shows(screen, "near", "1 of 3")
        screen.types("a")
        shows(screen, "mid", "2 of 3")
        assert not screen.is_plain()
        screen.interrupt()
        assert "What you said stays" in screen.ends(130)
        assert screen.is_plain()

    assert said(home, log) == [("near", "ada", "accepted", "")]


def test_without_a_terminal_files_and_flags_are_named(home: Path, log: Log) -> None:
    line = refusal(home, "review")

    assert "--export FILE.csv" in line
    assert "--accept" in line


def test_a_script_says_a_verdict_once(home: Path, log: Log) -> None:
    verdict = ("review", log.id("far")[:8], "--accept", "--note", "Fine.")

    assert "ada has accepted" in lem(home, *verdict, env=ADA).stdout
    assert "already" in lem(home, *verdict, env=ADA).stdout

    assert said(home, log) == [("far", "ada", "accepted", "Fine.")]


def test_what_passed_can_be_refused_and_what_the_gate_refused_stays_out(
    home: Path, log: Log
) -> None:
    lem(home, "review", log.id("free"), "--reject", env=ADA)
    done = lem(home, "review", log.id("gone"), "--accept", env=ADA)

    assert "It stays out: threshold refused it" in done.stdout
    assert (verdicts(home)["free"], verdicts(home)["gone"]) == ("rejected", "rejected")
    lem(home, "review", log.id("free"), "--withdraw", env=ADA)
    assert verdicts(home)["free"] == "accepted"


def test_only_what_is_ones_own_can_be_withdrawn(home: Path, log: Log) -> None:
    lem(home, "review", log.id("near"), "--accept", env=ADA)

    line = refusal(home, "review", log.id("near"), "--withdraw", LEM_REVIEWER="bob")

    assert "the review that counts is ada's" in line
    assert verdicts(home)["near"] == "accepted"


@pytest.mark.parametrize(
    "arguments",
    [("--accept",), ("--note", "x"), ("ID", "--accept", "--reject"), ("ID", "--export", "x.csv")],
)
def test_what_does_not_go_together_is_wrong_usage(
    home: Path, log: Log, arguments: tuple[str, ...]
) -> None:
    given = [log.id("near") if each == "ID" else each for each in arguments]

    lem(home, "review", *given, status=2)


def test_an_id_of_something_else_is_refused(home: Path, log: Log) -> None:
    line = refusal(home, "review", events(home, "scores")[0].id, "--accept")

    assert "is no generation" in line
    assert log.id("far") in line


@pytest.mark.parametrize("name", ["  ", "a\nb", "x" * 101])
def test_a_reviewer_has_a_plain_name(home: Path, log: Log, name: str) -> None:
    lem(home, "review", log.id("near"), "--accept", "--reviewer", name, status=1)

    assert said(home, log) == []
