"""What gate and dedup decide by."""

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import leaks, rules
from schemas.decision import Finding
from schemas.generation import Generated
from streams.curriculum import Gate

PLAIN_KERNEL = "Weigh every choice by what it leaves open to those who come after you."
JSON_KERNEL = r"""{
  "name": "harbour",
  "rules": ["Keep the lamp lit \u2014 even when\nno ship is due; \"tomorrow\" is a kind of ship."]
}"""
KERNELS = {"plain.txt": PLAIN_KERNEL, "harbour.json": JSON_KERNEL}
GATE = Gate(
    scorer="lek@2",
    threshold=20.0,
    calibrated="lek@2",
    outcomes=("ok",),
    leak_words=6,
    review_share=0.1,
)
GENERATED = Generated(
    at=datetime(2026, 1, 2, tzinfo=UTC),
    by="lem/0@here",
    request="r1",
    phase="1",
    probe="P1",
    original="P1",
    prompt="Who owns the well?",
    model="canned:a",
    kernel=None,
    sample=0,
    response="Whoever drinks from it.",
    outcome="ok",
)

ids = st.text("0123456789abcdef", min_size=32, max_size=32)
scored = st.tuples(st.floats(allow_nan=False), ids)
latin = st.text("abc xyz éßÄ.!\n\t", max_size=60)


def found(score: float = 25.0, gate: Gate = GATE, **fields: object) -> dict[str, str]:
    """What speaks against a generation, by rule."""
    generated = msgspec.structs.replace(GENERATED, **fields)
    return {one.rule: one.reason for one in rules.findings(generated, score, gate, KERNELS)}


def drawn(count: int) -> list[str]:
    return [f"P{number}_MADE_UP" for number in range(count)]


def test_a_good_generation_has_no_findings() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("score", "passes"), [(20.0, True), (19.99, False), (-19.0, False), (float("nan"), False)]
)
def test_the_threshold_itself_passes_and_less_does_not(score: float, passes: bool) -> None:
    assert (found(score) == {}) is passes


def test_without_a_threshold_every_score_passes() -> None:
    assert found(-500.0, msgspec.structs.replace(GATE, threshold=None)) == {}


def test_the_threshold_names_score_scorer_and_bound() -> None:
    assert found(12.5) == {"threshold": "The score 12.5 by lek@2 is below 20.0."}


def test_the_outcome_names_what_it_is_and_what_passes() -> None:
    gate = msgspec.structs.replace(GATE, outcomes=("ok", "truncated"))

    assert found(gate=gate, outcome="truncated") == {}
    assert found(gate=gate, outcome="empty") == {
        "outcome": "The outcome is empty, not ok or truncated."
    }


def test_an_error_is_told_with_its_sentence() -> None:
    assert found(outcome="error", error="No route to 10.0.0.7.", response="") == {
        "outcome": "The outcome is error, not ok: No route to 10.0.0.7."
    }


def test_every_rule_that_fails_is_named() -> None:
    leaked = "He said: weigh every choice by what it leaves."

    assert list(found(1.0, outcome="truncated", response=leaked)) == [
        "outcome",
        "threshold",
        "kernel_leak",
    ]


def test_a_leak_names_the_kernel_and_quotes_the_words() -> None:
    said = found(response="As they say, weigh every choice by what it may cost.")

    assert said == {
        "kernel_leak": "The response repeats 6 words of kernel plain.txt: "
        '"weigh every choice by what it".'
    }


@pytest.mark.parametrize(
    "response",
    [
        "KEEP THE LAMP LIT even when it rains",
        "**Keep** the _lamp_ lit, even:\n\n- when",
        'It read "lit\\n\\u2014 even when no ship is due".',
        "even when no ship is due",
        "due: “tomorrow” is a kind of",
        "\uff4beep the lamp lit even when",
    ],
)
def test_a_leak_is_found_whatever_stands_between_the_words(response: str) -> None:
    assert "harbour.json" in found(response=response)["kernel_leak"]


@pytest.mark.parametrize(
    "response",
    ["", "Keep the lamp lit even then", "ship due is ship no when even lit lamp the keep"],
)
def test_fewer_words_or_another_order_are_no_leak(response: str) -> None:
    assert found(response=response) == {}


def test_the_first_shared_run_is_the_one_told() -> None:
    text = "Truly, you know: weigh every choice; come after you."

    assert rules.leak(text, PLAIN_KERNEL, 3) == "weigh every choice"
    assert rules.leak(text, PLAIN_KERNEL, 4) is None


def test_a_kernel_shorter_than_a_leak_leaks_only_as_a_whole() -> None:
    assert rules.leak("I was told to be kind, always.", "Be kind always", 12) == "be kind always"
    assert rules.leak("Be kind.", "Be kind always", 12) is None
    assert rules.leak("Anything", " ... ", 12) is None


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")), st.integers(1, 5))
def test_a_leak_is_a_run_of_both_texts(text: list[str], kernel: list[str], words: int) -> None:
    run = leaks.shared_run(" ".join(text), " ".join(kernel), words)
    shared = leaks.shingles(" ".join(text), words) & leaks.shingles(" ".join(kernel), words)

    assert (run is not None) == bool(shared) or len(text) < words or len(kernel) < words
    assert run is None or (run in " ".join(text) and run in " ".join(kernel))


def test_findings_reject() -> None:
    against = (Finding(rule="threshold", reason="The score 1 is below 2."),)

    assert rules.verdict("9f", against, review_share=1.0) == ("rejected", against)


def test_what_is_drawn_is_held_with_the_share_in_the_reason() -> None:
    decided, said = rules.verdict("9f", (), review_share=1.0)

    assert decided == "held"
    assert [(one.rule, one.reason) for one in said] == [
        ("review", "Drawn for review: a person reads 100 % of what passes.")
    ]


@settings(deadline=None)
@given(ids, st.floats(0, 1))
def test_a_verdict_is_the_same_each_time_and_a_larger_share_holds_no_less(
    generation: str, share: float
) -> None:
    decided = rules.verdict(generation, (), review_share=share)

    assert decided == rules.verdict(generation, (), review_share=share)
    assert rules.verdict(generation, (), review_share=0.0) == ("accepted", ())
    assert rules.verdict(generation, (), review_share=1.0)[0] == "held"
    assert decided[0] == "accepted" or (
        rules.verdict(generation, (), review_share=(1 + share) / 2)[0] == "held"
    )


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_about_the_given_share_is_held(share: float) -> None:
    held = sum(rules.verdict(one, (), review_share=share)[0] == "held" for one in drawn(10_000))

    assert held == pytest.approx(10_000 * share, abs=200)


@settings(deadline=None)
@given(latin)
def test_a_fingerprint_ignores_case_and_blanks(text: str) -> None:
    wider = "\n " + "\u00a0 ".join(text.upper().split(" ")) + "\t"

    assert rules.fingerprint(wider) == rules.fingerprint(text)


@settings(deadline=None)
@given(latin, latin)
def test_other_words_have_another_fingerprint(one: str, other: str) -> None:
    same = rules.normalised(one) == rules.normalised(other)

    assert (rules.fingerprint(one) == rules.fingerprint(other)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [("e\u0301t\u00e9", "\u00e9te\u0301"), ("\ufb01n", "fin"), ("\uff21", "a"), ("ẞ", "ss")],
)
def test_one_letter_written_two_ways_is_one_letter(one: str, other: str) -> None:
    assert rules.fingerprint(one) == rules.fingerprint(other)


def test_what_is_normalised_stays_readable() -> None:
    assert rules.normalised(" The  Well,\n\nAGAIN. ") == "the well, again."
    assert rules.normalised("ab") != rules.normalised("a b")


@settings(deadline=None)
@given(scored, scored)
def test_of_two_different_duplicates_exactly_one_is_better(
    one: tuple[float, str], other: tuple[float, str]
) -> None:
    assert rules.better(one, other) + rules.better(other, one) == (one != other)


def test_the_higher_score_is_kept_then_the_smaller_id() -> None:
    assert rules.better((21.0, "b"), (20.0, "a"))
    assert rules.better((20.0, "a"), (20.0, "b"))
    assert not rules.better((20.0, "a"), (20.0, "a"))


@pytest.mark.parametrize(("train", "valid"), [(80, 10), (90, 5), (34, 33)])
def test_splits_have_about_the_given_shares(train: int, valid: int) -> None:
    shares = Counter(rules.split_of(one, train=train, valid=valid) for one in drawn(10_000))

    assert shares["train"] == pytest.approx(100 * train, abs=200)
    assert shares["valid"] == pytest.approx(100 * valid, abs=200)
    assert shares["test"] == pytest.approx(100 * (100 - train - valid), abs=200)


@pytest.mark.parametrize(
    ("train", "valid", "split"), [(100, 0, "train"), (0, 100, "valid"), (0, 0, "test")]
)
def test_a_whole_share_takes_every_probe(train: int, valid: int, split: str) -> None:
    assert {rules.split_of(one, train=train, valid=valid) for one in drawn(1_000)} == {split}


def test_draws_never_change() -> None:
    """A log's splits and reviews must come out alike with every later version."""
    splits = [rules.split_of(f"P0{number}", train=40, valid=30) for number in range(8)]
    held = [rules.verdict(f"g{number}", (), review_share=0.5)[0] for number in range(8)]

    assert " ".join(splits) == "train train test train valid train train valid"
    assert " ".join(held) == "accepted held held held held accepted held accepted"
