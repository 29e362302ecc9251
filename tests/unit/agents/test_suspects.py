"""The quick look at many texts finds what the thorough one finds."""

import random
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernel
from agents.leaks import leak, words_of
from agents.suspects import FOLDING, Leaks

KERNELS = [kernel.text("lek-1.json"), kernel.text("lek-1.txt")]


@pytest.mark.parametrize("text", KERNELS)
@given(st.data())
def test_whatever_leaks_is_found(text: str, data: st.DataObject) -> None:
    words = words_of(text)
    least = data.draw(st.integers(3, 14))
    start = data.draw(st.integers(0, len(words) - least))
    between = st.sampled_from([" ", "  ", ", ", "\n", "\\n", " — ", "…", "“", "_", "·", "é "])
    changed: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
        [str, str.upper, str.title, _wide, _kelvin]
    )
    run = "".join(
        str(data.draw(changed)(word)) + data.draw(between) for word in words[start : start + least]
    )
    said = f"Before it, ordinary words. {run} And after."
    expected = leak(said, text, least)

    found = Leaks([text], least).found(["Nothing of it.", said])

    assert found == ([(1, expected)] if expected else [])


@given(st.text())
def test_other_texts_are_told_as_the_thorough_look_tells_them(text: str) -> None:
    found = Leaks(KERNELS, 4).found([text])

    assert bool(found) == any(leak(text, each, 4) for each in KERNELS)


@pytest.mark.parametrize("text", ["Drei Wörter über Würde und mehr davon hier", "Short one"])
def test_a_kernel_that_is_short_or_beyond_ascii_is_looked_for_too(text: str) -> None:
    assert Leaks([text], 6).found(["No.", f"It said: {text.upper()}!"]) == [
        (1, " ".join(words_of(text)[:6]))
    ]


def test_no_kernel_leaks_nothing() -> None:
    assert Leaks([], 12).found(["Anything."]) == []


def test_what_folds_to_ascii_is_known() -> None:
    def letters(text: str) -> bool:
        return any(c.isascii() and c.isalnum() for c in text)

    every = (chr(code) for code in range(128, 0x110000))
    found = (c for c in every if letters(unicodedata.normalize("NFKC", c).casefold()))

    assert sorted(c for c in found if not letters(unicodedata.normalize("NFKC", c))) == sorted(
        FOLDING
    )


def test_a_shuffled_kernel_is_no_leak() -> None:
    words = words_of(KERNELS[0])
    random.Random(1).shuffle(words)

    assert Leaks(KERNELS, 12).found([" ".join(words)]) == []


def _wide(word: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)


def _kelvin(word: str) -> str:
    return word.replace("k", "\u212a").replace("s", "\u017f")
