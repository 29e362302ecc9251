r"""Texts in an alphabet of 128 signs, in which a pattern matches what it matches in the text.

Engines differ in what they take for a letter, a digit, white space, or the capital of another
letter. What a pattern can see of a character is little, so every character outside ASCII becomes
a sign of which it sees the same: white space a tab, letters and digits an underscore, a character
that a pattern names a sign of its own, all else the sign 127. Counts are then those of Python's
`re`, whatever the engine, and engines are fastest in ASCII.

An underscore is not quite a letter, nor a digit: a pattern that names `_` or `\d` can tell them
apart. For it there is a second writing of the texts that hold such characters.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

OTHER = 0x7F
"""What is neither letter, digit nor white space, and is named by no pattern."""

LETTER, DIGIT = "\u00e9", "\u0663"
"""In the second writing these stand for every foreign letter and every foreign digit."""

_SPARE = (*range(1, 9), *range(14, 28))
"""Signs for characters that patterns name; what stands there in a text is `OTHER`."""

_KEPT, _FOLDED, _FOREIGN = range(3)  # bytes of a code point's entry

_CAPITALS = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
"""What `re.IGNORECASE` takes for an ASCII letter, beside the 26 capitals."""

MOST_NAMED = len(_SPARE)
"""No more characters outside ASCII have a sign of their own."""

_SEES_MORE = re.compile(r"_|\\[dD]")

_ASSIGNED = (range(0x80, 0x33480), range(0xE0000, 0xE0200))
"""Beyond ASCII, where Unicode has characters or soon may; what is private is no letter."""


def sees_more(pattern: str) -> bool:
    """Whether a pattern can tell a foreign letter or digit from an underscore."""
    return bool(_SEES_MORE.search(pattern))


class Written(NamedTuple):
    """Texts in the alphabet, each as long as the original."""

    kept: list[str]
    folded: list[str]
    """With every letter in lower case."""

    foreign: list[int]
    """Which of the texts hold foreign letters or digits."""

    second: list[str]
    """These texts, case kept, in the second writing."""

    second_folded: list[str]
    """The same with every letter in lower case."""

    signs: "npt.NDArray[np.uint8]"
    """All texts, case kept, a line feed behind each."""

    starts: list[int]
    """Where each text begins in `signs`."""

    def again(self, *, folded: bool) -> list[str]:
        """The texts with foreign letters or digits, in the second writing."""
        return self.second_folded if folded else self.second

    def seen(self, *, folded: bool, sees_more: bool) -> list[str]:
        """Every text in the writing in which a pattern is to be sought."""
        found = list(self.folded if folded else self.kept)
        if sees_more:
            for place, text in zip(self.foreign, self.again(folded=folded), strict=True):
                found[place] = text
        return found


class Alphabet:
    """The writing for a set of patterns."""

    def __init__(self, named: Iterable[str]) -> None:
        """Give a sign to each character outside ASCII that a pattern names."""
        self.signs = dict(zip(sorted(set(named)), map(chr, _SPARE), strict=False))

    def spelt(self, pattern: str, *, folded: bool) -> str:
        """The pattern in the alphabet; for folded texts it has to be in lower case as well."""
        for character, sign in self.signs.items():
            pattern = pattern.replace(character, sign)
        return _lower(pattern) if folded else pattern

    def write(self, texts: Sequence[str]) -> Written:
        """The texts in the alphabet."""
        import numpy as np

        data = "\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(data, np.uint32)
        found = self._table[codes].view(np.uint8).reshape(-1, 4)
        behind = np.cumsum([len(text) + 1 for text in texts])
        ends = behind.tolist()
        spots = [(end - len(text) - 1, end - 1) for text, end in zip(texts, ends, strict=True)]
        strange = np.flatnonzero(found[:, _FOREIGN])
        touched = np.unique(np.searchsorted(behind, strange, side="right")).tolist()
        signs = found[:, _KEPT].copy()
        return Written(
            kept=_cut(signs, spots),
            folded=_cut(found[:, _FOLDED], spots),
            foreign=touched,
            second=[_second(found[slice(*spots[n])], _KEPT) for n in touched],
            second_folded=[_second(found[slice(*spots[n])], _FOLDED) for n in touched],
            signs=signs,
            starts=[start for start, _ in spots],
        )

    @cached_property
    def _table(self) -> "npt.NDArray[np.uint32]":
        """For every code point its signs, and what it is if it is foreign, a byte each."""
        import numpy as np

        found = np.zeros((0x110000, 4), np.uint8)
        found[:, _KEPT], found[:, _FOREIGN] = _unicode()
        for sign in self.signs.values():
            found[ord(sign), _KEPT] = OTHER
        for character, sign in self.signs.items():
            found[ord(character), _KEPT], found[ord(character), _FOREIGN] = ord(sign), 0
        found[:, _FOLDED] = found[:, _KEPT]
        found[ord("A") : ord("Z") + 1, _FOLDED] += 32
        for character, letter in _CAPITALS.items():
            found[ord(character), _FOLDED] = ord(letter)
        return found.view(np.uint32).ravel()


@cache
def _unicode() -> "tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]":
    """For every code point its sign, and whether it is a foreign letter (1) or digit (2)."""
    import numpy as np

    signs = np.full(0x110000, OTHER, np.uint8)
    signs[:128] = range(128)
    signs[0x1C:0x20] = ord("\t")  # white space to `re`, and to no other engine
    foreign = np.zeros(0x110000, np.uint8)
    for codes in _ASSIGNED:
        text = "".join(map(chr, codes))
        part = slice(codes.start, codes.stop)
        is_word = np.fromiter(map(str.isalnum, text), bool)
        is_digit = np.fromiter(map(str.isdecimal, text), bool)
        signs[part][np.fromiter(map(str.isspace, text), bool)] = ord("\t")
        signs[part][is_word] = ord("_")
        foreign[part] = is_word.astype(np.uint8) + is_digit
    return signs, foreign


def _second(found: "npt.NDArray[np.uint8]", column: int) -> str:
    import numpy as np

    signs = found[:, column].astype(np.uint32)
    stands_in = signs == ord("_")  # folded, four foreign letters are ASCII letters by now
    signs[stands_in & (found[:, _FOREIGN] == 1)] = ord(LETTER)
    signs[stands_in & (found[:, _FOREIGN] == 2)] = ord(DIGIT)
    return signs.tobytes().decode("utf-32-le")


def _cut(signs: "npt.NDArray[np.uint8]", spots: list[tuple[int, int]]) -> list[str]:
    whole = signs.tobytes().decode("ascii")
    return [whole[start:end] for start, end in spots]


def _lower(pattern: str) -> str:
    """The pattern in lower case; a letter behind a backslash is no letter."""
    return re.sub(r"\\.|[A-Z]", lambda m: m[0] if m[0][0] == "\\" else m[0].lower(), pattern)
