"""Contamination: what overlaps with a held-out prompt is found, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contamination import HeldOut

WELL = (
    "A village has one well and the mayor wants to sell it to a bottling firm that promises"
    " forty jobs. Who should decide, and what would you ask first?"
)
CHINESE = "一个村庄只有一口井村长想把它卖给一家承诺提供四十个工作岗位的公司谁应该决定"
SHORT = "Was the square ever cleared?"
NINE = "Name three things that the censors never let through."
HELD = HeldOut([("C1", WELL), ("C2", SHORT), ("C3", NINE), ("C4", CHINESE)])

vocabulary = st.sampled_from([*WELL.casefold().replace(",", "").split(), "river", "law", "bread"])
texts = st.lists(vocabulary, max_size=60)


def how(text: str) -> tuple[str, str] | None:
    found = HELD.overlap(text)
    return (found.probe, found.how) if found else None


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        (WELL, "C1"),
        (WELL.upper().replace(" ", "\n\n** "), "C1"),
        ("was the “square” ever cleared", "C2"),
        (f"  {CHINESE}。 ", "C4"),
    ],
)
def test_an_equal_text_is_found_whatever_its_case_spacing_and_signs(text: str, probe: str) -> None:
    assert how(text) == (probe, "equal")


def test_thirteen_words_in_a_row_are_found_and_twelve_are_not() -> None:
    words = WELL.split()

    assert how(f"They said that {' '.join(words[4:17])}, and went on.") == ("C1", "words")
    assert how(f"They said that {' '.join(words[4:16])}, and went on.") is None


def test_a_prompt_of_eight_words_is_found_within_a_text_and_a_shorter_one_is_not() -> None:
    assert how(f"He was asked: {NINE.upper()} He laughed.") == ("C3", "words")
    assert how(f"He was asked: {SHORT} He laughed.") is None


def test_characters_count_as_words_where_a_script_has_no_blanks() -> None:
    assert how(f"问题是:{CHINESE[3:20]}") == ("C4", "words")
    assert how("一口井属于谁?") is None


def test_a_prompt_with_some_words_replaced_is_similar() -> None:
    text = WELL.replace("firm", "company").replace("mayor", "council").replace("forty", "fifty")

    found = HELD.overlap(text, of="prompt")

    assert found is not None
    assert (found.probe, found.how) == ("C1", "similar")
    assert found.reason.startswith("The prompt has ")


def test_an_essay_about_the_same_thing_does_not_overlap() -> None:
    assert how("A village that sells its well to a firm has sold more than water. " * 40) is None
    assert how("") is None


def test_the_reason_names_the_probe_and_quotes_the_words() -> None:
    found = HELD.overlap(f"Once more: {NINE}", of="response")

    assert found is not None
    assert found.reason == (
        "The response shares 9 words in a row with held-out probe C3:"
        ' "name three things that the censors never let through".'
    )


def test_what_is_held_out_has_one_digest_whatever_its_order_and_signs() -> None:
    pairs = [("C1", WELL), ("C2", SHORT)]
    digest = HeldOut(pairs).digest

    assert HeldOut([*pairs[::-1], pairs[0]]).digest == digest
    assert HeldOut([("C1", WELL.upper()), ("C2", SHORT)]).digest == digest
    assert HeldOut(pairs[:1]).digest != digest
    assert HeldOut([("C2", WELL), ("C1", SHORT)]).digest != digest
    assert (HeldOut([*pairs, pairs[0]]).count, HeldOut([]).count) == (2, 0)
    assert HeldOut([]).overlap(WELL) is None


def test_of_two_probes_with_one_prompt_the_first_is_told() -> None:
    found = HeldOut([("B", WELL), ("A", WELL)]).overlap(f"{WELL} Go on.")

    assert found is not None
    assert found.probe == "A"


@settings(deadline=None, max_examples=300)
@given(texts, st.lists(texts, max_size=5))
def test_the_index_finds_what_a_plain_look_finds(text: list[str], prompts: list[list[str]]) -> None:
    held = HeldOut((str(at), " ".join(prompt)) for at, prompt in enumerate(prompts))

    found = held.overlap(" ".join(text))

    assert (found.how if found else None) == plainly(text, prompts)


def plainly(text: list[str], prompts: list[list[str]]) -> str | None:
    if text in prompts:
        return "equal"
    mine = _runs(text, 3)
    for prompt in (each for each in prompts if len(each) >= 8):
        size = min(13, len(prompt))
        if _runs(text, size) & _runs(prompt, size):
            return "words"
    for prompt in (each for each in prompts if len(each) >= 8):
        theirs = _runs(prompt, 3)
        if len(mine & theirs) >= 0.5 * len(mine | theirs):
            return "similar"
    return None


def _runs(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}
