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


def _definition(rule: Rule) -> Definition:
    signal = Signal(weight=1, count=(rule,))
    return Definition(name="one", version="1", summary="One rule.", signals={"it": signal})
