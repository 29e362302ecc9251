"""What every registered scorer promises."""

import math
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scorers import Score, Scorer, scorer, scorers
from agents.scorers.checked import differences
from streams.errors import ConfigError

GOLDEN = Path(__file__).parents[1] / "golden"
RELEASED = {
    "grammar@3": "2a9e5a5be35165137d3ed97d25288b7dbe1682ed888a1257acfa96e2fd203c79",
    "grammar@3-initialised": "41725662fe4a03c81ad6d305b9a01c59ca223a9c525448ab7cda904afdce8c59",
    "lek@1-go": "546c69527b17928f9997159fec3584bb98ab091b7a21aa17521ff84d3676f39c",
    "lek@1-py": "ac06b006305a072ae538da95bd252c2ed1635e9dfbf0410c3bb64c39e37ae768",
    "lek@2": "d7f434b534fa4e8c1435bd107eb00af75fa73a125f81a390ef1363065e1c8545",
    "lek@2-distill": "1b882dd61f73f22bceb11155875d9df75ac8bfbbf2804667de65d22ad79f3fed",
    "lek@2.1": "22d511fc41a1eda5fcb405db9206c39449bf72ba1f0046f8e7d0cbebfe7de1f9",
    "tier@1": "56de838b25984e6a4be19037d139fe507af849c0f2f3734b59ab8f979c03eeef",
}
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
def test_a_definition_is_the_one_that_was_released(one: Scorer) -> None:
    """Events name it, and old scores can only be told by it."""
    assert one.definition == RELEASED.get(one.label), (
        f"{one.label} has another definition than the one that was released. Put that back, and"
        f" make a version of its own of the change; a new version is entered here as"
        f' "{one.label}": "{one.definition}".'
    )


def test_no_released_version_is_gone() -> None:
    assert RELEASED.keys() <= {one.label for one in scorers()}


@every_scorer
def test_its_fixtures_hold(one: Scorer) -> None:
    assert len(one.fixtures) >= 4
    assert list(differences(one)) == []


@every_scorer
def test_each_of_its_signals_has_a_fixture_where_it_counts_for_something(one: Scorer) -> None:
    named = {name for each in one.fixtures for name, value in each.signals.items() if value}

    if one.name != "grammar":  # its signals are shares of one another
        assert named == one.one("").signals.keys()


@every_scorer
def test_each_of_its_rules_is_one_that_a_hit_can_name(one: Scorer) -> None:
    texts = [each.text for each in one.fixtures]
    hits = [hit for text in texts for hit in (one.hits(text) if one.hits else [])]

    assert {(hit.signal, hit.rule) for hit in hits} <= set(one.rules)
    assert bool(hits) == bool(one.rules) == bool(one.hits)


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
