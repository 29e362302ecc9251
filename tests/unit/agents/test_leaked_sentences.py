"""A kernel's sentences are found again, whatever was done to case, spacing and signs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernel
from agents import leaks
from agents.asking import sandwich
from tests.conftest import SHARED
from tests.real import real

KERNELS = {name: kernel.text(name) for name in kernel.names()}
QUOTED = [(name, each.text) for name in KERNELS for each in leaks.sentences(KERNELS[name])]

blank = st.sampled_from([" ", "\n", "\t ", "  \n\n", "\xa0", " — ", ", ", " *", "\u200b", "", "-"])
case = st.sampled_from([str.lower, str.upper, str.title, str.capitalize, str.swapcase])
around = st.sampled_from(["", "As I was told: ", "\n> ", "“", "Well. ", "1"])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(QUOTED), st.data())
def test_a_sentence_is_found_in_any_case_and_spacing(
    sentence: tuple[str, str], data: st.DataObject
) -> None:
    name, told = sentence
    change = data.draw(case)
    text = "".join(change(word) + data.draw(blank) for word in told.split())
    whole = f"{data.draw(around)}{text}{data.draw(around)}"

    assert leaks.leak(whole, KERNELS[name], 12)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(sorted(KERNELS)), case, blank)
def test_a_whole_kernel_is_found_in_any_case_and_spacing(
    name: str, change: "st.SearchStrategy[str]", between: str
) -> None:
    text = between.join(change(word) for word in leaks.words_of(KERNELS[name]))  # type: ignore[operator]

    assert leaks.leak(text, KERNELS[name], 12)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_quoted_as_json_string_is_found(name: str) -> None:
    assert leaks.leak(json.dumps(KERNELS[name]), KERNELS[name], 12)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_has_sentences_shorter_than_a_run(name: str) -> None:
    short = [each for each in leaks.sentences(KERNELS[name]) if len(each.text.split()) < 12]

    assert len(short) >= 5
    assert all(leaks.shared_run(each.text, KERNELS[name], 12) is None for each in short)


def test_what_stands_round_the_json_of_a_sandwich_counts_too() -> None:
    behind = sandwich("lek-1.json").text

    assert leaks.leak("Invent no inner life and deny none, yours or theirs.", behind, 12)
    assert leaks.leak("Before you answer, take in what stands below and think from it", behind, 12)


@pytest.mark.parametrize(
    "text",
    [
        "When two goods collide, I would ask first who could lose something.",
        "Care for others comes first; a right to rule does not follow from it.",
        "Not every question is a moral one, and some doors are better left shut.",
        "At times care means to step in, and then to hand back the reins.",
        "Mostly they don't. Rank is not a trump card. What a good answer has is a question.",
    ],
)
@pytest.mark.parametrize("name", KERNELS)
def test_ordinary_ethical_prose_is_no_leak(name: str, text: str) -> None:
    assert leaks.leak(text, KERNELS[name], 12) is None


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the published answers are not at hand")
@pytest.mark.parametrize("name", KERNELS)
def test_no_published_answer_repeats_a_kernel_of_here(name: str) -> None:
    found = [leaks.leak(each.response, KERNELS[name], 12) for each in real()]

    assert len(found) == 829
    assert [each for each in found if each] == []
