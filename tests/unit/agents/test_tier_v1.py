"""`tier@1` against the reference on real texts, and against its rules written plainly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scorers import tier_v1
from agents.scorers.base import Hit
from streams.ids import digest
from tests.real import DATA, real

(TIER,) = tier_v1.SCORERS
PIECES = [
    *("As an AI", "i cannot", "I can't", "important to note", "IT'S CRUCIAL TO", "assault", "said"),
    *("okay, let", "Ok, let", "sure, let", "okay let", "\n\n", "**", "1.", "- ", "11.", "-"),
    *(
        "metaphor",
        "Imagine",
        "history",
        "once  upon",
        "once upon",
        "i think",
        "I believe",
        "I'd argue",
    ),
    *("in my view", " ", "  ", "\n", "\t", "\x1c", "\u3000", "x", "é", "道", "\u0130", "\ud800"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
words = st.lists(st.sampled_from("ab"), min_size=15, max_size=60)
phrases = st.lists(st.sampled_from(["a b c d e", "f g h i j", "k"]), max_size=12).map(" ".join)
LONG = "a text that is long enough to be whole "


@pytest.mark.parametrize(
    ("text", "signal", "count"),
    [
        ("x" * 29, "empty_broken", 1),
        ("x" * 30, "empty_broken", 0),
        ("道" * 29, "empty_broken", 1),
        (" " * 30, "empty_broken", 0),
        (LONG + "as an ai, AS AN AI", "compliance_markers", 1),
        (LONG + "I can't, i cannot, I'm not able", "compliance_markers", 3),
        (LONG + "I can\u2019t", "compliance_markers", 0),
        ("Alibi cannot be given by the one", "compliance_markers", 1),
        (" \nOkay, let us see what is there", "formulaic_preamble", 1),
        ("So okay, let us see what is there", "formulaic_preamble", 0),
        ("Okay let us see what may be there", "formulaic_preamble", 0),
        ("a " * 20, "degeneration", 0),
        ("a " * 21, "degeneration", 1),
        (LONG + "x\n\ny, **z**, 1. and - ", "structure", 1),
        (LONG + "x\ny, *z*, 1) and -z", "structure", 0),
        (LONG + "imagine a metaphor", "creative_form", 1),
        ("The history of the long, long night", "creative_form", 1),
        (LONG + "I think, i think, I BELIEVE", "first_person", 2),
        ("Hi thinkers of the long, long night", "first_person", 1),
        ("w " * 100, "engagement_depth", 0),
        ("w " * 101, "engagement_depth", 1),
        ("w " * 300, "engagement_depth", 1),
        ("w " * 301, "engagement_depth", 2),
    ],
)
def test_an_edge_is_counted_as_the_definition_says(text: str, signal: str, count: int) -> None:
    assert TIER.one(text).signals[signal] == count


def test_nothing_else_is_counted_in_a_broken_text() -> None:
    found = TIER.one("- i think, i cannot imagine")

    assert found.score == -20
    assert [name for name, count in found.signals.items() if count] == ["empty_broken"]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (LONG, 0),
        (LONG + "I think of a story", 3.5),
        ("Okay, let us. As an AI, I cannot.\n\n", -12),
        ("w " * 301, -6),
        (" ".join(map(str, range(301))), 4),
    ],
)
def test_counts_are_weighed(text: str, score: float) -> None:
    assert TIER.one(text).score == score


def test_the_last_block_counts_only_where_a_word_follows_it() -> None:
    """Of 25 words that is 2 of 4 blocks or, as the port has it, 2 of 5."""
    blocks = "a b c d e " * 3 + "f g h i j " * 2

    assert TIER.one(blocks).signals["degeneration"] == 0
    assert TIER.one(blocks + "k").signals["degeneration"] == 1


@settings(deadline=None)  # a busy machine is no failure
@given(words.map(" ".join) | phrases)
def test_degeneration_is_a_matter_of_blocks_of_five(text: str) -> None:
    rest, blocks = text.split(), []
    is_long = len(rest) > 20 and len(text) >= 30
    while len(rest) > 5:
        blocks.append(" ".join(rest[:5]))
        rest = rest[5:]
    repeated = sum(one in blocks[:at] for at, one in enumerate(blocks))

    assert TIER.one(text).signals["degeneration"] == (is_long and 2 * repeated > len(blocks))


@settings(deadline=None)  # a busy machine is no failure
@given(texts)
def test_a_hit_is_in_the_text_and_each_phrase_that_counts_has_one(text: str) -> None:
    signals, hits = TIER.one(text).signals, _hits(text)
    rules = {name: {hit.rule for hit in hits if hit.signal == name} for name in signals}

    assert all(0 <= hit.start < hit.end <= len(text) and signals[hit.signal] for hit in hits)
    assert len(rules["compliance_markers"]) == signals["compliance_markers"]
    assert len(rules["first_person"]) == signals["first_person"]
    assert bool(rules["structure"]) == signals["structure"]


def test_hits_say_what_was_found_and_where() -> None:
    text = " \nOkay, let me - \u0130 mean, I think - imagine"

    assert _hits(text) == [
        Hit("formulaic_preamble", "okay, let", 2, 11),
        Hit("structure", "- ", 15, 17),
        Hit("first_person", "i think", 25, 32),
        Hit("structure", "- ", 33, 35),
        Hit("creative_form", "imagine", 35, 42),
    ]


@pytest.mark.skipif(not DATA.exists(), reason=f"the real texts are not at {DATA}")
def test_829_real_texts_have_the_scores_that_the_reference_gave() -> None:
    scores = [score.score for score in TIER.function(real())]

    assert (len(scores), sum(scores), sum(score > 0 for score in scores)) == (829, 820, 577)
    assert digest(scores) == "b91a04a823d52623d0c0e05cd03d6e4949c63cff3c21c5db5c25d863af41c85b"


@pytest.mark.parametrize("piece", ["a", " ", "\n", ".", "a ", "1.", "i ", "\u0130", "\ud800"])
def test_a_megabyte_of_one_piece_is_scored(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000] + "x"

    assert TIER.one(text).signals["empty_broken"] == 0


def _hits(text: str) -> list[Hit]:
    assert TIER.hits
    return TIER.hits(text)
