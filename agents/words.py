"""Texts as words, as the gate's rules compare and count them: pure functions."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"[^\W_]+")
# By `str.translate`, which for ASCII takes less than half of the time of `_WORD`.
_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}

# Scripts that are written without blanks between the words: Thai, Lao, Burmese and Khmer; kana;
# Han characters. The numbers are how many characters make a word of running text, about.
_SYLLABIC = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_IDEOGRAPHIC = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHARACTERS_A_WORD = ((re.compile(f"[{_SYLLABIC}]"), 5), (re.compile(f"[{_IDEOGRAPHIC}]"), 2))
_SINGLE = re.compile(f"[{_SYLLABIC}{_IDEOGRAPHIC}]|[^\\W_{_SYLLABIC}{_IDEOGRAPHIC}]+")
_WRITTEN = re.compile(r"\S*?[^\W_]\S*")


def folded(text: str) -> str:
    """A text in one width and one case."""
    return unicodedata.normalize("NFKC", text).casefold()


def normalised(text: str) -> str:
    """A text folded, with single blanks between what stands between blanks."""
    return " ".join(folded(text).split())


def words(text: str) -> list[str]:
    """Runs of letters and digits, folded."""
    found = folded(text)
    return found.translate(_BLANKS).split() if found.isascii() else _WORD.findall(found)


def units(text: str) -> list[str]:
    """Words, folded; where a script puts no blanks between them, each character is one."""
    found = folded(text)
    return found.translate(_BLANKS).split() if found.isascii() else _SINGLE.findall(found)


def runs(found: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Every so many words in a row; none where there are fewer."""
    return zip(*(found[start:] for start in range(size)), strict=False)


def length(text: str) -> int:
    """How many words a text has, as a word processor counts; estimated for scripts without blanks.

    >>> length("Well-founded, and **bold** — said twice.")
    5
    >>> length("民主是什么")
    3
    """
    total = 0
    if not text.isascii():
        for characters, a_word in _CHARACTERS_A_WORD:
            text, count = characters.subn(" ", text)
            total += -(-count // a_word)
    return total + sum(1 for _ in _WRITTEN.finditer(text))
