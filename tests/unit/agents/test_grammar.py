"""`grammar@3` against scores that the reference gave, and what it makes of any text."""

import hashlib
import json
import math
import re
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scorers.base import Scorer, Text
from agents.scorers.grammar import SCORERS, formula, readings
from agents.scorers.grammar.imprint import imprint, likeness
from agents.scorers.grammar.readings import Token
from agents.scorers.grammar.tables import TABLES, Count, Mode
from agents.scorers.grammar.tokens import tokens
from tests.conftest import SHARED

VECTORS = SHARED / "vectors" / "grammar-v3.jsonl"
EDGES = SHARED / "vectors" / "grammar-v3-edge.jsonl"
RUN, FULL = SCORERS
DELTA = ("uplift", "echo", "enrichment", "sycophantic")
CLASSES: dict[str, Count] = {
    "tense_distribution": "tenses",
    "article_usage": "articles",
    "punctuation_pattern": "marks",
}
PIECES = [
    *("run", "runs", "running", "test", "tests", "build", "Check", "was", "is", "the", "a", "to"),
    *("and", "then", "walked", "url", "data", "?", "...", ",", ";", ".", "s", "ed", "ing", "ies"),
    *(" ", " ", " ", " ", " ", "\n", "\x1c", "\u2003", "\u200b", "\u0130", "\u03a3", "é", "道"),
    *("\ud800", "\0", "'"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text()

both = pytest.mark.parametrize(
    ("one", "mode"), [(RUN, "as_run"), (FULL, "initialised")], ids=["as_run", "initialised"]
)
with_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason=f"the reference's scores are not at {VECTORS}"
)


@with_vectors
@both
def test_600_real_texts_get_what_the_reference_gave(one: Scorer, mode: Mode) -> None:
    rows = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
    differing = [row["id"] for row in rows if not _is_scored(_text(row), one, mode, row)]

    assert len(rows) == 600
    assert differing == []


@with_vectors
@both
def test_24_edges_get_what_the_reference_gave(one: Scorer, mode: Mode) -> None:
    rows = [json.loads(line) for line in EDGES.read_text("utf-8").splitlines()]
    texts = [Text(row["response"], row["prompt"]) for row in rows]
    pairs = list(zip(rows, texts, strict=True))

    assert len(rows) == 24
    assert [row["id"] for row, text in pairs if not _is_scored(text, one, mode, row)] == []
    assert [list(map(_shown, tokens(text.response, mode))) for text in texts] == [
        row[mode]["tokens"] for row in rows
    ]


def test_a_word_in_doubt_counts_in_both_classes() -> None:
    found = imprint("the run builds", "initialised")

    assert found.counts["verbs"] == pytest.approx({"run": 0.17 / 0.52})
    assert found.counts["tenses"] == pytest.approx({"base": 0.17 / 0.52})
    assert found.counts["nouns"] == pytest.approx({"run": 0.35 / 0.52, "build": 1})
    assert found.plural_ratio == 0.5


def test_a_noun_without_evidence_is_one_of_the_nouns() -> None:
    assert FULL.one("run").signals["noun_diversity"] == 1
    assert RUN.one("run").signals["noun_diversity"] == 0


@pytest.mark.parametrize(
    ("one", "other", "like"),
    [
        ("", " ", 1),
        ("so", "", 1),
        ("so", "well", 1),
        ("the", "well", 0),
        ("walked", "walked, so", 0.5 / 0.6),
        ("walked", "hoped", 0.2 / 0.5),
        ("a the", "the", math.sqrt(0.5)),
    ],
)
def test_likeness_is_over_what_either_has(one: str, other: str, like: float) -> None:
    first, second = imprint(one, "as_run"), imprint(other, "as_run")

    assert likeness(first, second) == likeness(second, first) == pytest.approx(like)


def test_terms_add_up_to_the_composite() -> None:
    half = {"tense_entropy": 1.585 / 2, "vocab_richness": 0.05, "question_ratio": 0.1}
    half |= {"verb_diversity": 15, "noun_diversity": 20}
    beyond = dict.fromkeys(half, 99.0) | {"tense_entropy": 0}

    assert formula.composite(half) == pytest.approx(50)
    assert formula.composite(beyond) == pytest.approx(75)


def test_a_response_is_measured_by_its_prompt() -> None:
    found = RUN.one("Dogs walked? They ran, hoping.", "Dogs walked?").signals
    alone = RUN.one("Dogs walked?").score

    assert found["uplift"] == RUN.one("Dogs walked? They ran, hoping.").score - alone
    assert found["enrichment"] == found["uplift"] * (1 - found["echo"])
    assert RUN.one("Dogs walked?", "Dogs walked?").signals["sycophantic"] == 1
    assert RUN.one("Dogs", "Dogs walked?").signals["sycophantic"] == 0


@both
def test_only_a_text_with_a_prompt_has_the_signals_of_one(one: Scorer, mode: Mode) -> None:
    assert set(one.one("so", "so").signals) - set(one.one("so").signals) == set(DELTA)


@settings(deadline=None)  # a busy machine is no failure
@given(texts, texts)
def test_any_text_gives_finite_floats_and_the_same_in_a_batch(response: str, prompt: str) -> None:
    batch = [Text(response, prompt), Text(prompt), Text(response), Text(response, prompt)]

    for one in SCORERS:
        found = one.function(batch)
        values = [value for score in found for value in (score.score, *score.signals.values())]
        assert {type(value) for value in values} == {float}
        assert all(map(math.isfinite, values))
        assert found == [one.one(*text) for text in batch]


@settings(deadline=None)  # a busy machine is no failure
@given(texts)
def test_what_is_counted_is_what_the_tokens_say(text: str) -> None:
    found, counted = tokens(text, "initialised"), imprint(text, "initialised")
    verbs = {token.key for token in found if token.kind == "verb" or token.other is not None}

    assert counted.token_count == len(found)
    assert set(counted.counts["verbs"]) == verbs


@both
@pytest.mark.parametrize("piece", ["a", " ", "?", "run ", "run, ", "ed", "\x1c ", "\u0130", "s x "])
def test_a_megabyte_of_one_piece_is_scored(piece: str, one: Scorer, mode: Mode) -> None:
    """Looking through a clause for every word of it would not come to an end here."""
    text = (piece * 1_000_000)[:1_000_000]

    assert one.one(text).signals["token_count"] == len(tokens(text, mode))


def test_no_more_pieces_are_remembered_than_said() -> None:
    RUN.one(" ".join(f"w{number}" for number in range(readings.KEPT + 10)) + " " + "x" * 65)
    kept = readings._READINGS["as_run"]

    assert 0 < len(kept) <= readings.KEPT
    assert max(map(len, kept)) <= readings.LONGEST_KEPT


@pytest.mark.parametrize("field", TABLES.__struct_fields__)
def test_another_table_makes_another_definition(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formula, "TABLES", msgspec.structs.replace(TABLES, **{field: None}))

    assert formula.definition("as_run") != RUN.definition
    assert re.fullmatch("[0-9a-f]{64}", RUN.definition)


def _is_scored(text: Text, one: Scorer, mode: Mode, row: dict[str, Any]) -> bool:
    expected = row if mode == "as_run" and "composite" in row else row[mode]
    score, counted = one.one(*text), imprint(text.response, mode)
    found = score.signals | {"composite": score.score}
    values = {name: expected[name] for name in found if name not in DELTA}
    if text.prompt:
        values |= {name: float(expected["delta"][name]) for name in DELTA}
    return found == pytest.approx(values, rel=0, abs=1e-9) and all(
        counted.shares(name) == pytest.approx(expected[field], rel=0, abs=1e-9)
        for field, name in CLASSES.items()
    )


def _shown(token: Token) -> dict[str, Any]:
    """A token as the vectors show it, rounded as they are."""
    kind = {"mark": "punct"}.get(token.kind, token.kind)
    classes: dict[str, Any] = {
        "verb": {"verb": [token.key, token.form]},
        "noun": {"noun": [token.key, token.form == "plural"]},
        "unknown": {},
    }
    own = classes.get(kind, {kind: token.key})
    shown: dict[str, Any] = {"text": token.text, "type": kind} | own
    if token.other is None:
        return shown
    shown |= {"verb": [token.key, "base"], "noun": [token.key, False]}
    shown |= {"alt": "noun" if kind == "verb" else "verb", "alt_conf": round(token.other, 6)}
    if token.confidence != 1:
        shown["conf"] = round(token.confidence, 6)
    return shown


def _text(row: dict[str, Any]) -> Text:
    text: Text = _texts(row["file"])[row["line"] - 1]
    digests = [hashlib.sha256(part.encode()).hexdigest()[:16] for part in text]
    assert digests == [row["response_sha256_16"], row["prompt_sha256_16"]]
    return text


@cache
def _texts(file: str) -> list[Text]:
    path = SHARED / "data" / "lem" / "benchmarks" / "results" / file
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    return [Text(row["response"], row["prompt"]) for row in rows]
