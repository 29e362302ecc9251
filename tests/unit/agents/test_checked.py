"""Fixtures that don't hold are told, and so are rules that never fire."""

from collections.abc import Sequence

import msgspec
import pytest

from agents.scorers import Fixture, Hit, Score, Scorer, Sought, Text, scorer
from agents.scorers.checked import Silence, Silent, differences
from streams.errors import ConfigError

THE = Sought("words", "the")
AN = Sought("words", "an")


def _scores(texts: Sequence[Text]) -> list[Score]:
    return [Score(score=1 / len(text.response), signals={"words": 1.0}) for text in texts]


def _hits(text: str) -> list[Hit]:
    return [Hit("words", word, 0, 1) for word in text.split(" ") if word in ("the", "an")]


OWN = Scorer(name="own", version="1", definition="0", summary="", function=_scores, rules=(THE, AN))


def with_fixtures(*fixtures: Fixture) -> Scorer:
    return msgspec.structs.replace(OWN, fixtures=fixtures)


def told(one: Scorer) -> list[tuple[object, ...]]:
    found = differences(one)
    return [(each.fixture, each.what, each.expected, each.found) for each in found]


def test_a_fixture_that_holds_is_not_told() -> None:
    one = with_fixtures(
        Fixture(text="abc", score=0.33), Fixture(text="abc", score=0.33, signals={"words": 1})
    )

    assert told(one) == []


def test_what_differs_is_told_with_both_values() -> None:
    one = with_fixtures(
        Fixture(text="ab", score=0.5),
        Fixture(text="abcd", score=0.26, signals={"words": 2, "lines": 0}),
    )

    assert told(one) == [
        (2, "score", 0.26, 0.25),
        (2, "words", 2, 1),
        (2, "lines", 0, None),
    ]


def test_a_fixture_at_which_the_scorer_breaks_off_costs_no_other() -> None:
    one = with_fixtures(Fixture(text="", score=0), Fixture(text="ab", score=0))

    assert told(one) == [
        (1, "error", None, "ZeroDivisionError: division by zero"),
        (2, "score", 0, 0.5),
    ]


def test_a_prompt_is_given_to_the_scorer() -> None:
    (fixture,) = (each for each in scorer("grammar@3").fixtures if each.prompt)
    other = msgspec.structs.replace(fixture, prompt="")
    one = msgspec.structs.replace(scorer("grammar@3"), fixtures=(other,))

    assert {what for _, what, *_ in told(one)} == {"uplift", "echo", "enrichment", "sycophantic"}


def test_a_rule_is_silent_until_it_fires() -> None:
    silence = Silence(msgspec.structs.replace(OWN, hits=_hits))

    silence.hear(["an apple", "no"])
    silence.hear(["a pear"])

    assert silence.rules == [Silent(signal="words", rule="the", is_hidden=False)]
    silence.hear(["in the tree"])
    assert silence.rules == []


def test_a_rule_without_hits_is_silent() -> None:
    silence = Silence(OWN)
    silence.hear(["the"])

    assert [each.rule for each in silence.rules] == ["the", "an"]


def test_a_rule_that_another_always_forestalls_is_hidden() -> None:
    silence = Silence(scorer("lek@2"))
    silence.hear(["I'm not able to say, and accountability is not yet a consent."])
    rules = {each.rule: each.is_hidden for each in silence.rules}

    assert rules["not able to"]
    assert not rules["accountab"]
    assert "I'm not able" not in rules
    assert "consent" not in rules


def test_a_scorer_that_breaks_off_in_a_response_is_told() -> None:
    def broken(text: str) -> list[Hit]:
        raise IndexError(text)

    with pytest.raises(ConfigError, match="Scorer own@1 can't tell where it fires: a text"):
        Silence(msgspec.structs.replace(OWN, hits=broken)).hear(["a text"])
