"""Who withdraws a review takes back their own word alone, wherever a review counts."""
# ruff: noqa: F811  # a fixture of another file is imported, and then asked for by its name

from pathlib import Path

import pytest

from agents.fate import fate
from agents.reviewing.opinions import counting
from agents.reviewing.saying import Reviews
from schemas import Reviewed
from streams.curriculum import Phase
from streams.log.store import EmbeddedStore
from tests.events import decided, generated, requested, reviewed, scored
from tests.flow.test_review import Log, home, log, phase, said, verdicts  # noqa: F401
from tests.lem import events, lem, refusal, rows
from tests.terminal import terminal

# What Ada, Bob and Ada again said, and what counts of it.
CASES = [
    ("a:rejected b:accepted b:withdrawn", "a:rejected"),
    ("a:rejected b:accepted a:withdrawn", "b:accepted"),
    ("a:rejected a:withdrawn", None),
    ("a:rejected b:accepted b:withdrawn a:withdrawn", None),
    ("a:accepted b:rejected a:accepted", "a:accepted"),
    ("a:withdrawn b:accepted a:rejected a:withdrawn", "b:accepted"),
]


@pytest.mark.parametrize(("history", "left"), CASES)
def test_of_each_the_last_word_counts_unless_it_is_withdrawn(
    history: str, left: str | None
) -> None:
    gate = decided(scored(generated(requested())), "held", rule="review")
    told = [reviewed(gate, each[2:], reviewer=each[0]) for each in history.split()]

    found = counting(told)

    assert (f"{found.reviewer}:{found.verdict}" if found else None) == left


def _says(home: Path, log: Log, by: str, verdict: str) -> str:
    return lem(home, "review", log.id("near"), f"--{verdict}", "--reviewer", by).stdout


@pytest.fixture
def disputed(home: Path, log: Log) -> Log:
    """Ada refused it, Bob accepted it and took that back."""
    for by, verdict in (("ada", "reject"), ("bob", "accept")):
        _says(home, log, by, verdict)
    assert verdicts(home)["near"] == "accepted"
    assert "ada has rejected it, and that counts" in _says(home, log, "bob", "withdraw")
    return log


def test_what_another_refused_stays_refused(home: Path, disputed: Log) -> None:
    assert verdicts(home)["near"] == "rejected"
    assert "ada rejected it" in lem(home, "explain", disputed.id("near")).stdout


def test_explain_says_what_the_view_says(
    home: Path,
    disputed: Log,
    phase: Phase,
) -> None:
    own = [event for topic in ("decisions", "reviews") for event in events(home, topic)]

    assert fate(disputed.named["near"], own, phase).verdict == "rejected"


def test_a_gate_on_trial_counts_it_too(home: Path, disputed: Log) -> None:
    changes = ("words=null", "review_share=0")
    tries = [part for change in changes for part in ("--try", change)]

    told = rows(lem(home, "gate", "--phase", "1", *tries, "--json"))

    then = {row["name"]: row["then"] for row in told if row["type"] == "rule"}
    assert then["review"] == 1


def test_a_review_that_does_not_count_can_be_withdrawn(
    home: Path,
    disputed: Log,
    store: EmbeddedStore,
) -> None:
    _says(home, disputed, "bob", "accept")
    _says(home, disputed, "ada", "withdraw")
    found = Reviews(store).of(disputed.id("near"))

    assert found
    assert (found.reviewer, verdicts(home)["near"]) == ("bob", "accepted")
    line = refusal(home, "review", disputed.id("near"), "--withdraw", LEM_REVIEWER="ada")
    assert "the review that counts is bob's" in line


def test_a_sheet_withdraws_what_is_the_reviewers_own(
    home: Path,
    disputed: Log,
    tmp_path: Path,
) -> None:
    _says(home, disputed, "bob", "accept")
    path = tmp_path / "sheet.csv"
    path.write_text(f"generation,verdict,reviewer\n{disputed.id('near')},withdrawn,ada\n")

    done = lem(home, "review", "--import", str(path))

    assert "1 new reviews" in done.stdout
    assert "stays accepted by bob" in done.stderr
    assert isinstance(events(home, "reviews")[-1], Reviewed)
    assert verdicts(home)["near"] == "accepted"


def test_undo_shows_again_what_another_has_refused(home: Path, log: Log) -> None:
    with terminal(home, "review", "--limit", "1", env={"LEM_REVIEWER": "ada"}) as screen:
        screen.sees("q quit")
        _says(home, log, "bob", "reject")
        screen.types("a")
        screen.sees("press again")
        screen.sees("q quit")
        screen.types("a")
        screen.sees("That was all")
        screen.types("u")
        screen.sees("bob rejected it, and that counts")
        screen.sees("q quit")
        assert verdicts(home)["near"] == "rejected"
        screen.types("a")
        screen.sees("That was all")
        screen.types("q")
        screen.ends()

    assert [(by, verdict) for _, by, verdict, _ in said(home, log)] == [
        ("bob", "rejected"),
        ("ada", "accepted"),
        ("ada", "withdrawn"),
        ("ada", "accepted"),
    ]
