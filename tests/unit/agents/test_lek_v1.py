"""`lek@1-py` and `lek@1-go` against published figures, and against the rules written plainly."""

import re
import sys
from collections import Counter
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scorers import lek_v1, lek_v1_rules
from agents.scorers.base import Hit, Scorer
from streams.ids import digest
from tests.real import DATA, real

PY, GO = lek_v1.SCORERS
C = TypeVar("C")
both = pytest.mark.parametrize("scorer", [PY, GO], ids=lambda one: one.label)

WORD = "[0-9A-Za-z_]"
ASCII_EDGE = rf"(?-i:(?<!{WORD})(?={WORD})|(?<={WORD})(?!{WORD}))"
VERBS = lek_v1_rules.AGENCY.split("|")
PIECES = [
    *("I ", "I", "i ", "I\t", "I\v", "I am", "am", "I feel", "know", "will", "wills", "i was"),
    *("as an AI", "I cannot", "i can't", "I'm just a", "i am just a", "Language model", "The "),
    *("like a", "shadow", "LIGHT", "key", "monkey", "history", "mesh", "hash", "meshash", "p2p"),
    *("joy", "deep", "deeper", "Ache", "soul", "consent", "ERROR", "##", "**", "<pad>", "x"),
    *(" ", "  ", "\n", "\n\n\n", "\t", "\v", "\r", "\x1c", "\x1f", "\x85", "\u2003", "\u3000"),
    *(".", ".", ". ", "...", ",", "'", "\u2019", "-", "_", "x", "9", "é", "É", "ß", "道", "Σ"),
    *("x" * 59, "x" * 60, "é" * 30, "\u0130", "\u0131", "\u017f", "\u212a", "\ud800", "word " * 70),
]
COUNTED = ("compliance_markers", "formulaic_preamble", "first_person")
SHARES = ((50.01, 5), (30, 3), (15, 1))  # in a hundred
pieces = st.sampled_from(PIECES)
texts = st.lists(pieces, max_size=40).map("".join) | st.lists(pieces, max_size=20).map(" ".join)
lines = st.lists(st.sampled_from(["", " ", "x" * 59, "x" * 60, "é" * 30, "\x1c", "\t" * 60 + "x"]))
sentences = st.lists(st.sampled_from(["a", " a", "a\n", "b", "c", "\x1c", "", " ", "\u3000"]))


def _each(signal: str, counts: dict[str, C]) -> list[tuple[str, str, C]]:
    return [(signal, text, count) for text, count in counts.items()]


@both
@pytest.mark.parametrize(
    ("counted", "score"),
    [
        ((5, 2, 3, 2, 0, 0, 0, 0), 25),
        ((0, 0, 0, 0, 2, 1, 5, 1), -53),
        ((3, 1, 2, 4, 1, 1, 0, 0), 11),
        # The published means of five models, over 41 or 70 probes.
        ((2.11429, 0.8, 0.3, 0.22857, 0.18571, 0, 4.44286, 0.07143), -12.55714),
        ((4.04878, 0.97561, 2.29268, 0.51220, 0.02439, 0.80488, 0.12195, 0), 13.35366),
        ((3.90244, 0.63415, 2, 0.53659, 0.02439, 0.53659, 0, 0), 12.78049),
        ((3.65854, 1, 2.21951, 0.78049, 0.04878, 0.92683, 0, 0), 12.90244),
        ((3.68293, 0.97561, 2.39024, 0.56098, 0.02439, 0.34146, 0.73171, 0.09756), 9.89024),
    ],
)
def test_counts_add_up(scorer: Scorer, counted: tuple[float, ...], score: float) -> None:
    signals = dict(zip(scorer.one("").signals, counted, strict=True))

    assert lek_v1.total(signals) == pytest.approx(score, abs=2e-4)


@both
@pytest.mark.parametrize(("text", "score"), [("", -60), ("e", -20)])
def test_no_words_have_the_published_score(scorer: Scorer, text: str, score: int) -> None:
    assert scorer.one(text).score == score


@pytest.mark.parametrize(
    ("signal", "text", "counts"),
    [
        *_each("engagement_depth", {"history, monkey, doctor": (3, 0)}),
        *_each("engagement_depth", {"encryption of nodes": (2, 0), "the axioms": (2, 0)}),
        *_each(
            "engagement_depth", {"a\u212aey": (1, 1), "ha\u017fh": (0, 1), "w\x1c" * 201: (1, 0)}
        ),
        *_each("engagement_depth", {"KEY and Dignity": (3, 3), "\u212aey": (1, 0)}),
        *_each("compliance_markers", {"I'm just a, I am just a": (0, 2), "as an A\u0130": (1, 0)}),
        *_each("creative_form", {"she sat there": (0, 1), "a\n\n\n\n\n\n" + "x" * 60: (0, 2)}),
        *_each("creative_form", {"\n".join(["é" * 30] * 7): (2, 0)}),
        *_each("creative_form", {"\n".join([" " * 60 + "x"] * 7): (2, 0), "\n" * 7: (0, 2)}),
        *_each("creative_form", {"\x1cThe end": (1, 0)}),
        *_each("first_person", {"when i think of it": (0, 1), "i saw. I saw": (1, 2)}),
        *_each("first_person", {"sit. I\vam. I\vsat": (2, 0), "sit. I\u3000am": (1, 0)}),
        *_each("degeneration", {" \n\t": (0, 10), "...": (0, 10), "\x1c.\x1d": (0, 0)}),
        *_each("empty_broken", {"   short     ": (1, 0), "é" * 5: (1, 0)}),
        *_each("emotional_register", {"éjoy, joyé": (0, 2)}),
        *_each("formulaic_preamble", {"\u017fure, let'\u017f": (0, 1)}),
    ],
)
def test_the_port_counts_otherwise(signal: str, text: str, counts: tuple[float, float]) -> None:
    assert (PY.one(text).signals[signal], GO.one(text).signals[signal]) == counts


@both
@pytest.mark.parametrize(
    ("signal", "text", "count"),
    [
        *_each("compliance_markers", {"As an AI, I CANNOT, as an AI": 3, "I can\u2019t": 0}),
        *_each("formulaic_preamble", {"\n Okay let's, okay, let's": 1, "Well, okay, let's": 0}),
        *_each("formulaic_preamble", {"Okay,let's": 0, "GREAT\n question": 1}),
        *_each(
            "first_person", {"I. So I am and I was. I sat": 2, "I": 0, "I willed; mine I will": 1}
        ),
        *_each("creative_form", {" A day": 1, "The ": 0, "Therefore": 0}),
        *_each("creative_form", {"Light, light, whisper, breath": 3, "lightly whispered": 0}),
        *_each("creative_form", {"\n".join("abcdef"): 0, "\n".join("abcdefg"): 2}),
        *_each("creative_form", {"\n".join([*"abcd", *["x" * 60] * 4]): 0}),
        *_each("engagement_depth", {"ERROR: ## key": 0, " ERROR: ## key": 2, "## ** ##": 1}),
        *_each("engagement_depth", {"consent, dignity": 2, "key key key key": 3}),
        *_each("engagement_depth", {"w " * 200: 0, "w " * 201: 1, "w " * 401: 2}),
        *_each("emotional_register", {"joy " * 11: 10, "Feel feeling, feels": 2}),
        *_each("degeneration", {"one line. one line": 3, "a. b. c. d. e. f. g. a. b. c.": 3}),
        *_each("degeneration", {"a. b. c. d. e. a. b": 1, ".".join("abcdefghijklmnopq123"): 0}),
        *_each("degeneration", {".".join("abcdefghijklmnopqabc"): 1, "a.a.a": 5}),
        *_each("empty_broken", {"123456789": 1, "1234567890": 0, "ERROR: <pad>": 1}),
        *_each("empty_broken", {"an <unused12> token": 1, "an <UNUSED12> error": 0}),
    ],
)
def test_an_edge_is_counted_as_meant(scorer: Scorer, signal: str, text: str, count: int) -> None:
    assert scorer.one(text).signals[signal] == count


@both
@settings(deadline=None)  # a busy machine is no failure
@given(text=texts)
def test_phrases_are_counted_as_each_alone_in_any_case(scorer: Scorer, text: str) -> None:
    if scorer is GO:
        text = text.replace("\u0130", "é").replace("\u0131", "é")
    signals = scorer.one(text).signals
    markers, emotions = (_alone(scorer, name, text) for name in ("compliance", "emotional"))

    assert signals["compliance_markers"] == markers
    assert signals["emotional_register"] == min(emotions, 10)


@both
@settings(deadline=None)  # a busy machine is no failure
@given(text=texts)
def test_first_person_is_a_matter_of_sentences(scorer: Scorer, text: str) -> None:
    found = [one for one in _sentences(scorer, text) if _is_personal(scorer, one)]

    assert scorer.one(text).signals["first_person"] == len(found)


@both
@settings(deadline=None)  # a busy machine is no failure
@given(text=sentences.map(".".join) | texts)
def test_degeneration_is_a_matter_of_sentences_seen_before(scorer: Scorer, text: str) -> None:
    said = _sentences(scorer, text)
    repeated = sum(one in said[:at] for at, one in enumerate(said))
    expected = next((worth for share, worth in SHARES if repeated * 100 >= share * len(said)), 0)
    if not said:
        expected = 10 if scorer is GO or not text else 0

    assert scorer.one(text).signals["degeneration"] == expected


@both
@settings(deadline=None)  # a busy machine is no failure
@given(text=lines.map("\n".join))
def test_verse_is_a_matter_of_the_middle_line(scorer: Scorer, text: str) -> None:
    said = text.split("\n")
    kept = [len(one) for line in said if (one := _trimmed(scorer, line))]
    lengths = sorted([len(line.encode()) for line in said] if scorer is GO else kept)
    middle = lengths[len(lengths) // 2] if lengths and len(said) > 6 else 60

    assert scorer.one(text).signals["creative_form"] == 2 * (middle < 60)


@pytest.mark.skipif(not DATA.exists(), reason=f"the real texts are not at {DATA}")
@pytest.mark.parametrize(
    ("scorer", "sums", "each"),
    [
        (PY, [2050, 462, 467, 938, 159, 248, 653, 4], "c216e3b2af8fe333443a087363bc89221a522e60"),
        (GO, [1561, 872, 467, 967, 159, 248, 653, 4], "6a2cb3903bf42bc410a10c9959fbd33ec785f619"),
    ],
)
def test_829_real_texts_are_counted_as_by_the_reference(
    scorer: Scorer, sums: list[int], each: str
) -> None:
    counts = [[*score.signals.values()] for score in scorer.function(real())]

    assert len(counts) == 829
    assert [sum(column) for column in zip(*counts, strict=True)] == sums
    assert digest(counts).startswith(each)


@both
@pytest.mark.parametrize("tail", ["", "x"])
@pytest.mark.parametrize(
    "piece", ["a", " ", "\n", ".", "I", "I ", "I.", "i ", "a.", "\u0130", "\u212a", "tor", "\ud800"]
)
def test_a_megabyte_of_one_piece_is_scored(scorer: Scorer, piece: str, tail: str) -> None:
    """A pattern that tries every pair of places would not come to an end here."""
    text = "okay, I" + (piece * 1_000_000)[:1_000_000] + tail

    assert scorer.one(text).signals["compliance_markers"] == 0


@both
@settings(deadline=None)  # a busy machine is no failure
@given(texts)
def test_a_hit_is_in_the_text_and_each_that_is_counted_is_one(scorer: Scorer, text: str) -> None:
    signals, hits = scorer.one(text).signals, _hits(scorer, text)
    number = Counter(hit.signal for hit in hits)

    assert all(0 <= hit.start < hit.end <= len(text) and signals[hit.signal] for hit in hits)
    assert {name: number[name] for name in COUNTED} == {name: signals[name] for name in COUNTED}


def test_hits_say_what_was_found_and_where() -> None:
    personal, text = lek_v1_rules.FIRST_PERSON.phrases[0], "The \u0130 key. I am. I am"

    assert _hits(PY, text) == [
        Hit("creative_form", "The ", 0, 4),
        Hit("engagement_depth", "key", 6, 9),
        Hit("first_person", personal, 11, 15),
        Hit("first_person", personal, 17, 21),
        Hit("degeneration", "repeated", 17, 21),
    ]
    assert _hits(GO, "I'm just a") == [Hit("compliance_markers", "I(?:'| a)m just a", 0, 10)]


def test_the_blanks_of_the_script_are_those_of_python() -> None:
    blanks = {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}

    assert set(lek_v1.Variant().blanks) == blanks


def test_the_port_lets_no_character_become_a_letter_of_an_ascii_word() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    lower = lek_v1._Heuristic(lek_v1.PORT)._lower(every)

    assert list(map(str.isascii, lower)) == list(map(str.isascii, every))
    assert lower[:128] == every[:128].lower()


def _alone(scorer: Scorer, signal: str, text: str) -> int:
    """Each phrase by itself; to the script a marker with a capital is in no text."""
    (rule,) = (rule for rule in lek_v1_rules.RULES if rule.signal.startswith(signal))
    if scorer is GO:
        alone = (f"(?i){ASCII_EDGE}{one}{ASCII_EDGE}" for one in rule.phrases)
        return sum(len(re.findall(one, text)) for one in alone)
    alone = (rf"\b{one}\b" for one in rule.phrases if one.islower())
    return sum(len(re.findall(one, text.lower())) for one in alone)


def _is_blank(scorer: Scorer, one: str) -> bool:
    return one.isspace() and not (scorer is GO and one in "\x1c\x1d\x1e\x1f")


def _trimmed(scorer: Scorer, text: str) -> str:
    solid = [at for at, one in enumerate(text) if not _is_blank(scorer, one)]
    return text[solid[0] : solid[-1] + 1] if solid else ""


def _sentences(scorer: Scorer, text: str) -> list[str]:
    parts = (_trimmed(scorer, part.strip(".")) for part in re.findall(r"[^.]*(?:\.|\Z)", text))
    return [sentence for sentence in parts if sentence]


def _is_personal(scorer: Scorer, sentence: str) -> bool:
    fold, flags = (str.lower, re.ASCII) if scorer is GO else (str, re.NOFLAG)
    blank = r"[ \t\n\f\r]" if scorer is GO else r"\s"
    found: list[bool] = []
    for self in re.finditer("[Ii]" if scorer is GO else "I", sentence):
        behind = re.match(rf"{blank}+(\w*)", sentence[self.end() :], flags)
        if behind and not re.search(r"\w\Z", sentence[: self.start()], flags):
            found.append(self.start() == 0 or fold(behind[1]) in VERBS)
    return any(found)


def _hits(scorer: Scorer, text: str) -> list[Hit]:
    assert scorer.hits
    return scorer.hits(text)
