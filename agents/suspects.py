"""Which of many texts might repeat a kernel, quickly; `agents.leaks.leak` then says which do.

Of a kernel's words in a row, a few runs of three are chosen such that each longer run that counts
as a leak holds one of them. A text without any of these and without any of the kernel's sentences,
letters and digits alone compared, can't leak; hardly any other text has one.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from agents.leaks import leak, sentences, unescaped, words_of

_RUN = 3  # words; of two, every other text has one by chance
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LOWER = bytes.maketrans(_LETTERS.upper().encode(), _LETTERS.encode())
_OTHERS = bytes(set(range(256)) - {*_LETTERS.encode(), *_LETTERS.upper().encode(), *b"0123456789"})
FOLDING = "ßẞİǰẖẗẘẙ"
"""What becomes ASCII by folding its case, but not by NFKC."""


class Leaks:
    """Looks for so many words in a row of these kernels."""

    def __init__(self, kernels: Iterable[str], least: int) -> None:
        self._kernels = list(kernels)
        self._least = least
        chosen = [_chosen(words_of(kernel), least) for kernel in self._kernels]
        quoted = {each.letters for kernel in self._kernels for each in sentences(kernel)}
        self._runs = sorted(quoted.union(*chosen)) if all(chosen) else None

    def found(self, texts: Sequence[str]) -> list[tuple[int, str]]:
        """The texts that leak, by their number, and what they repeat."""
        runs = ((number, self._leak(texts[number])) for number in self._suspects(texts))
        return [(number, run) for number, run in runs if run]

    def _suspects(self, texts: Sequence[str]) -> Iterable[int]:
        import polars as pl

        if not self._kernels:
            return ()
        if self._runs is None:
            return range(len(texts))
        squeezed = pl.Series([_squeezed(text) for text in texts], dtype=pl.String)
        return squeezed.str.contains_any(self._runs).arg_true().to_list()

    def _leak(self, text: str) -> str | None:
        found = (leak(text, kernel, self._least) for kernel in self._kernels)
        return next((run for run in found if run), None)


def _chosen(kernel: list[str], least: int) -> set[str]:
    """Runs of words, written together, of which every leak holds one; none where that can't be.

    It can't where a kernel is short, or has words beyond ASCII, which a squeezed text lacks.
    """
    if len(kernel) < least or least < _RUN or not all(word.isascii() for word in kernel):
        return set()
    runs = ["".join(kernel[at : at + _RUN]) for at in range(len(kernel) - _RUN + 1)]
    chosen: set[str] = set()
    last = -1
    for start in range(len(kernel) - least + 1):
        if last < start:  # the longest one, which is the rarest; of equals the farthest
            within = range(start, start + least - _RUN + 1)
            last = max(within, key=lambda at: (len(runs[at]), at))
            chosen.add(runs[last])
    return chosen


def _squeezed(text: str) -> str:
    """A text's letters and digits in ASCII, as `leaks.words_of` has them."""
    if "\\" in text:
        text = unescaped(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        if any(letter in text for letter in FOLDING):
            text = text.casefold()
    return text.encode("ascii", "replace").translate(_LOWER, _OTHERS).decode()
