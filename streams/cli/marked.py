"""Texts for people, with what a scorer found in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from streams.cli.shown import harmless

if TYPE_CHECKING:
    from rich.text import Text

    from agents.scorers import Hit

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")


def marked(text: str, hits: "Sequence[Hit]") -> "Text":
    """The text with a colour for each signal that fired in it; no text commands the terminal."""
    from rich.text import Text

    shown = Text(harmless(text))
    colours = colours_of(hits)
    for hit in hits:
        shown.stylize(f"bold {colours[hit.signal]}", hit.start, hit.end)
    return shown


def colours_of(hits: "Sequence[Hit]") -> dict[str, str]:
    """The colour of each signal, by its name."""
    names = sorted({hit.signal for hit in hits})
    return {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}
