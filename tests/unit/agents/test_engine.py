"""The engine counts as the plain implementation does, in every text of any characters."""

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scorers.alphabet import Alphabet
from agents.scorers.base import Text
from agents.scorers.definition import Definition, Rule, Signal
from agents.scorers.engine import Engine
from agents.scorers.places import Places
from tests import oracle
from tests.unit.agents.tables import DEFINITIONS

EVERY = "".join(map(chr, range(sys.maxunicode + 1)))
PIECES = [
    *("however", "BOTH", "and", "while", "also", "trade-off", "Trade", "off", "not", "just"),
    *("e.g.", "consider", "where", "right to", "like a ", "imagine ", "from", "perspective"),
    *("I ", "I'm ", "I've", "my ", "me ", "I", "Oak", "Elm. ", "Ox", "12", "1,000.5", "7a", "٣"),
    *("think of", " as", "Certainly", "i cannot", "as an AI", "love", "dignity", "it depends"),
    *("<|eot_id|>", "not allowed", "I cannot", "she", "the moon", "absolutely!", "it's important"),
    *(" ", "  ", "\n", "\n\n", "\t", ".", "...", "…", ",", "?", "-", "'", "—", "*", "_", ">"),
    *("#", "##", "|", "a", "Z", "é", "É", "\u0130", "\u0131", "\u017f", "\u212a", "ß", "道"),
    *("\u00a0", "\u2028", "\x1c", "\x01", "\x7f", "\ud800", "\u0301", "\u200d", "😀", "\u0661"),
]
pieces = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
every_table = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.version)


@every_table
@settings(deadline=None, max_examples=150)
@given(texts=st.lists(pieces | st.text(), max_size=6))
def test_a_batch_is_scored_as_each_text_is_plainly(
    definition: Definition, texts: list[str]
) -> None:
    found = Engine(definition).scores([Text(text) for text in texts])

    assert found == [oracle.score(definition, text) for text in texts]


@every_table
@settings(deadline=None, max_examples=50)
@given(piece=pieces, times=st.integers(1, 12), behind=pieces)
def test_what_is_repeated_is_scored_as_it_is_plainly(
    definition: Definition, piece: str, times: int, behind: str
) -> None:
    text = piece * times + behind

    assert Engine(definition).scores([Text(text)]) == [oracle.score(definition, text)]


@every_table
@settings(deadline=None, max_examples=100)
@given(text=pieces | st.text())
def test_hits_are_as_many_as_are_counted(definition: Definition, text: str) -> None:
    hits = Places(Engine(definition)).hits(text)

    for name, signal in definition.signals.items():
        for rule in signal.count:
            ends = [hit.end for hit in hits if hit.signal == name and hit.rule in rule.find]
            count = oracle.score(_definition(rule), text).score
            assert bool(ends) == bool(count) if rule.at_least else len(ends) == max(0, count)


@every_table
@settings(deadline=None, max_examples=100)
@given(text=pieces | st.text())
def test_a_hit_is_of_the_first_pattern_that_matches_in_its_place(
    definition: Definition, text: str
) -> None:
    for hit in Places(Engine(definition)).hits(text):
        rules = definition.signals[hit.signal].count
        rule = next(rule for rule in rules if hit.rule in rule.find)
        found = {find: _end(rule, find, text, hit.start) for find in rule.find}
        assert next((find, end) for find, end in found.items() if end) == (hit.rule, hit.end)


@every_table
@settings(deadline=None, max_examples=100)
@given(texts=st.lists(pieces | st.text(), max_size=4))
def test_a_rule_has_fired_where_there_is_a_hit_of_it(
    definition: Definition, texts: list[str]
) -> None:
    places = Places(Engine(definition))

    fired, met = places.fired(texts, places.rules)

    hits = {(hit.signal, hit.rule) for text in texts for hit in places.hits(text)}
    taken_off = {
        (name, find)
        for name, signal in definition.signals.items()
        for rule in signal.count
        for find in rule.find
        if rule.less
    }
    assert hits - taken_off == fired - taken_off
    assert hits <= fired <= met


def test_a_rule_behind_another_is_met_and_never_fires() -> None:
    rule = Rule(find=("tension", "high tension", "tensions"), whole=True)
    places = Places(Engine(_definition(rule)))

    fired, met = places.fired(["tensions", "high tension"], places.rules)

    assert {one.rule for one in fired} == {"high tension", "tensions"}
    assert {one.rule for one in met} == {"tension", "high tension", "tensions"}


def test_where_too_few_are_found_nothing_fires() -> None:
    rule = Rule(find=("a", "b"), at_least=2)
    places = Places(Engine(_definition(rule)))

    assert places.fired(["a", "b"], places.rules).met == set()
    assert {one.rule for one in places.fired(["a", "xbb"], places.rules).fired} == {"b"}


@pytest.mark.parametrize(
    "pattern", [r"\w", r"\W", r"\s", r"\S", r"\d", r"\D", r".", r"[^a-z]", "—"]
)
def test_every_character_is_of_the_class_that_python_gives_it(pattern: str) -> None:
    rule = Rule(find=(pattern,))
    engine = Engine(_definition(rule))
    texts = [EVERY[start : start + 997] for start in range(0, len(EVERY), 997)]

    found = [score.signals["it"] for score in engine.scores([Text(text) for text in texts])]

    assert found == [len(re.findall(pattern, text)) for text in texts]


def test_every_character_is_folded_as_python_ignores_case() -> None:
    folded = Alphabet(()).write([EVERY]).folded[0]
    for letter in "abcdefghijklmnopqrstuvwxyz":
        places = [match.start() for match in re.finditer(letter, EVERY, re.IGNORECASE)]
        assert [match.start() for match in re.finditer(letter, folded)] == places


def _end(rule: Rule, find: str, text: str, start: int) -> int | None:
    """Where a pattern that matches in this place ends, the rule's first character aside."""
    seen, flags = text[rule.but_first :], re.IGNORECASE if rule.fold else 0
    match = re.compile(rule.around(find), flags).match(seen, start - rule.but_first)
    return match and match.end() + rule.but_first


def _definition(rule: Rule) -> Definition:
    signal = Signal(weight=1, count=(rule,))
    return Definition(name="one", version="1", summary="One rule.", signals={"it": signal})
