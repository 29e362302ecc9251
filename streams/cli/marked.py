"""Texts for people, with what a scorer found in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from agents.scorers import Hit

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")


def marked(text: str, hits: "Sequence[Hit]") -> "Text":
    """The text with a colour for each signal that fired in it."""
    from rich.text import Text

    shown = Text(text)
    names = sorted({hit.signal for hit in hits})
    for hit in hits:
        colour = _COLOURS[names.index(hit.signal) % len(_COLOURS)]
        shown.stylize(f"bold {colour}", hit.start, hit.end)
    return shown
