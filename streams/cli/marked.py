"""Texts for people, with what a scorer found in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from agents.scorers import Hit

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")
# What a terminal obeys rather than shows, or what turns the order of letters round. One sign for
# one, so that places in the text stay.
_CONTROLS = {
    code: "�"
    for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}


def marked(text: str, hits: "Sequence[Hit]") -> "Text":
    """The text with a colour for each signal that fired in it; no text commands the terminal."""
    from rich.text import Text

    shown = Text(plain(text))
    colours = colours_of(hits)
    for hit in hits:
        shown.stylize(f"bold {colours[hit.signal]}", hit.start, hit.end)
    return shown


def colours_of(hits: "Sequence[Hit]") -> dict[str, str]:
    """The colour of each signal, by its name."""
    names = sorted({hit.signal for hit in hits})
    return {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}


def plain(text: str) -> str:
    """The text, as long as before, without what a terminal would obey."""
    return text.translate(_CONTROLS)
