"""What every registered scorer promises."""

import math
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scorers import Score, Scorer, scorer, scorers
from streams.errors import ConfigError

GOLDEN = Path(__file__).parents[1] / "golden"
every_scorer = pytest.mark.parametrize("one", scorers(), ids=lambda one: one.label)


class Frozen(msgspec.Struct):
    """A text and what the scorer said of it when it was released."""

    text: str
    score: float
    signals: dict[str, float]


@every_scorer
@settings(deadline=None)  # a busy machine is no failure
@given(text=st.text())
def test_a_text_gets_the_same_finite_score_each_time(one: Scorer, text: str) -> None:
    first = one.one(text)

    assert one.one(text) == first
    assert all(map(math.isfinite, [first.score, *first.signals.values()]))


@every_scorer
@pytest.mark.parametrize("text", ["", " ", "\n\n", "\0", "\ud800", "\ufeff", "a" * 100_000])
def test_odd_texts_are_scored(one: Scorer, text: str) -> None:
    assert math.isfinite(one.one(text).score)


@every_scorer
def test_every_text_has_the_same_signals(one: Scorer) -> None:
    assert one.one("").signals.keys() == one.one("Why not?\n\nI can't.").signals.keys()


@every_scorer
def test_the_golden_file_still_holds(one: Scorer) -> None:
    """A released version is frozen; to change a value is to make another version."""
    lines = (GOLDEN / f"{one.label}.jsonl").read_bytes().splitlines()
    golden = [msgspec.json.decode(line, type=Frozen) for line in lines]
    expected = [Score(score=row.score, signals=row.signals) for row in golden]

    assert len(golden) >= 20
    assert [one.one(row.text) for row in golden] == expected


@every_scorer
def test_a_scorer_is_found_by_its_label(one: Scorer) -> None:
    assert one.label == f"{one.name}@{one.version}"
    assert scorer(one.label) is one


@every_scorer
def test_a_definition_is_a_sha256(one: Scorer) -> None:
    assert re.fullmatch("[0-9a-f]{64}", one.definition)


def test_no_two_scorers_share_a_label_or_a_definition() -> None:
    assert len({one.label for one in scorers()}) == len(scorers())
    assert len({one.definition for one in scorers()}) == len(scorers())


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("lek@9", 'No scorer "lek" version 9; there are versions 1-go, 1-py, 2'),
        ("moss@1", 'No scorer "moss" version 1; there are grammar@3, '),
        ("lek", 'Scorer "lek" has no version; name one of grammar@3, '),
        ("lek@", 'Scorer "lek@" has no version'),
        ("", 'Scorer "" has no version'),
    ],
)
def test_an_unknown_scorer_is_told_with_those_there_are(label: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        scorer(label)
