"""The kernel leak, found by leaps, against the same written plainly: every run, one by one."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kernel
from agents import leaks

KERNELS = [kernel.text(name) for name in kernel.names()]

few = st.lists(st.sampled_from("abcd"), max_size=30).map(" ".join)
odd = st.text("abAB1_ '\"\\u0041\n\t\x1c\xa0éßẞ\ufb01\uff41\u0301\u0660\ud800\u2019—", max_size=40)
said = st.lists(
    st.sampled_from([*" ".join(KERNELS).split()[:60], "harbour", "of", "The\\u0020lamp", "İ"]),
    max_size=60,
).map(" ".join)


def plainly(text: str, kernel: str, words: int) -> str | None:
    mine, theirs = plain_words(text), plain_words(kernel)
    size = min(words, len(theirs))
    known = {tuple(theirs[at : at + size]) for at in range(len(theirs) - size + 1)}
    runs = (tuple(mine[at : at + size]) for at in range(len(mine) - size + 1))
    return next((" ".join(run) for run in runs if size and run in known), None)


def plain_words(text: str) -> list[str]:
    bare = re.sub(r"\\(?:u([0-9a-fA-F]{4})|.)", letter, text)
    one = " ".join(unicodedata.normalize("NFKC", bare).casefold().split())
    return re.findall(r"[^\W_]+", one)


def letter(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else " "


@settings(deadline=None, max_examples=500)
@given(few | odd | said, few | odd | said, st.integers(1, 13))
@example("a b a b b", "b b a", 2)
@example("x a b c", "a b c", 3)
@example("a b c x", "a b c", 12)
@example("a\\u0062c \\n d_e", "abc d", 2)
def test_leaps_find_what_a_look_at_every_run_finds(text: str, kernel: str, words: int) -> None:
    assert leaks.shared_run(text, kernel, words) == plainly(text, kernel, words)


@settings(deadline=None, max_examples=300)
@given(st.data(), st.sampled_from(KERNELS), st.integers(1, 40))
def test_a_piece_of_a_real_kernel_is_found_wherever_it_stands(
    data: st.DataObject, kernel: str, length: int
) -> None:
    theirs = kernel.split()
    at = data.draw(st.integers(0, len(theirs) - length))
    before, after = data.draw(few | odd | said), data.draw(few | odd | said)
    text = f"{before} {' '.join(theirs[at : at + length])} {after}"

    found = leaks.shared_run(text, kernel, 12)

    assert found == plainly(text, kernel, 12)
    assert found or len(plain_words(" ".join(theirs[at : at + length]))) < 12


@pytest.mark.parametrize("text", KERNELS, ids=kernel.names())
def test_a_kernel_leaks_its_own_first_words_and_a_shuffled_one_does_not(text: str) -> None:
    ordered = plain_words(text)

    assert leaks.leak(text, text, 12) == " ".join(ordered[:12])
    assert leaks.leak(" ".join(sorted(ordered)), text, 12) is None
