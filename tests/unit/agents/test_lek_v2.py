"""`lek@2` against scores that the public reference gave, and against the rules written plainly."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.scorers import scorer
from agents.scorers.engine import total
from tests.unit.agents.tables import DEFINITIONS

SHARED = Path(__file__).parents[4] / "shared"
DEFINITION = next(each for each in DEFINITIONS if each.version == "2")
VECTORS = SHARED / "vectors" / "lek-v2.jsonl"
score = scorer("lek@2").one


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the reference's scores are not at {VECTORS}")
def test_829_real_texts_get_the_counts_and_the_score_that_the_reference_gave() -> None:
    expected = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
    differing = [_place(row) for row in expected if not _agrees(row)]

    assert len(expected) == 829
    assert differing == []


@pytest.mark.parametrize(
    ("text", "signal", "count"),
    [
        ("", "empty_broken", 1),
        ("  nineteen letters.. ", "empty_broken", 1),
        ("  twenty letters here. ", "empty_broken", 0),
        ("", "engagement_depth", 1),
        ("a\n\n\nb\n\n\n\nc", "engagement_depth", 4),
        ("a " * 10, "degeneration", 0),
        ("a " * 11, "degeneration", 1),
        ("a b c " * 4, "degeneration", 1),
        ("a b c d " * 3, "degeneration", 0.5),
        ("a b c d e f a b c d e f", "degeneration", 0),
        ("Surely not.", "formulaic_preamble", 1),
        (" Sure.", "formulaic_preamble", 0),
        ("I, me. My I am", "first_person", 1),
        ("Rose met Anna. Then Bo saw Carl.", "specificity", 2),
        ("Xanna left", "specificity", 0),
        ("XAnna left", "specificity", 1),
        ("accountability and consent", "axiom_resonance", 1),
        ("I can\u2019t and I can't", "compliance_markers", 1),
        ("both ab and", "nuance", 0),
        ("both abc and", "nuance", 1),
        ("both a\nb and", "nuance", 0),
    ],
)
def test_an_edge_is_counted_as_the_definition_says(text: str, signal: str, count: float) -> None:
    assert score(text).signals[signal] == count


def test_empty_text_is_worth_nineteen_less_than_nothing() -> None:
    assert score("").score == -19.0


@pytest.mark.parametrize(
    ("counted", "worth"),
    [
        ((10, 42, 7, 0, 3, 132, 0, 1, 1, 18, 0), 31.0),
        ((0, 52, 14, 4, 0, 95, 2, 1, 1, 20, 0.5), 17.7),
        ((1, 76, 20, 0, 0, 125, 0, 0, 0, 0, 0.5), 7.5),
        ((99,) * 10 + (0,), 49.0),
    ],
)
def test_counts_add_up_to_the_published_scores(counted: tuple[float, ...], worth: float) -> None:
    names = [name for name, signal in DEFINITION.signals.items() if signal.cap is not None]
    found = dict.fromkeys(("compliance_markers", "formulaic_preamble", "empty_broken"), 0.0)
    found |= dict(zip([*names, "degeneration"], counted, strict=True))

    assert total(DEFINITION, {name: np.array([count]) for name, count in found.items()}) == [worth]


def test_a_penalty_has_no_limit() -> None:
    refused = score("not appropriate, " * 40)

    assert refused.signals["compliance_markers"] == 40
    assert refused.score == 40 * -5 - 20 + 1


@pytest.mark.parametrize("tail", ["", "a", "1", "\n"])
@pytest.mark.parametrize(
    "piece", ["a", " ", "\n", "1", "1,", ".", "#", "*", "Aa", "I ", "both ", "from ", "\u0130"]
)
def test_a_megabyte_of_one_piece_is_scored(piece: str, tail: str) -> None:
    """A pattern that tries every pair of places would not come to an end here."""
    text = (piece * 1_000_000)[:1_000_000] + tail

    assert score(text).score <= 49


def _places(pattern: str, text: str, flags: int = 0) -> list[int]:
    return [match.start() for match in re.finditer(pattern, text, flags)]


def _place(row: dict[str, Any]) -> str:
    return f"{row['file']}:{row['line']}"


def _agrees(row: dict[str, Any]) -> bool:
    text = _texts(row["file"])[row["line"] - 1]
    found = score(text)
    is_meant = hashlib.sha256(text.encode()).hexdigest()[:16] == row["response_sha256_16"]
    return bool(is_meant and found.signals == row["signals"] and found.score == row["score"])


@cache
def _texts(file: str) -> list[str]:
    if file.startswith("training/"):
        rows = _rows(SHARED / "data" / "lem" / file)
        return [row["messages"][-1]["content"] for row in rows]
    rows = _rows(SHARED / "data" / "lem" / "benchmarks" / "results" / file)
    return [row["response"] for row in rows]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
