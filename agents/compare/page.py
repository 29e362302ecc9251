"""A comparison as one HTML file, which needs nothing from the net."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from itertools import pairwise
from typing import Any

from agents.compare import Comparison, plots
from agents.scorers import Hit, Scorer


def page(found: Comparison, a: Scorer, b: Scorer) -> str:
    """The page; texts are marked where a scorer's rules fired."""
    from jinja2 import Environment
    from markupsafe import Markup

    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        files(__package__ or "").joinpath("page.html").read_text(encoding="utf-8")
    )
    own = {by.label: [s for s in found.signals if s.scorer == by.label] for by in (a, b)}
    pictures = {
        "scores": plots.scores(found.spreads, found.density),
        "pairs": plots.pairs(found.spreads, found.density),
        "caps": plots.caps(own[a.label], own[b.label]),
    }
    return template.render(
        found=found,
        scorers=(a, b),
        pictures={name: Markup(svg) for name, svg in pictures.items()},  # our own
        signals=signals(found),
        marked=lambda text, by: Markup(marked(text, by.hits(text) if by.hits else [])),
    )


def signals(found: Comparison) -> list[dict[str, Any]]:
    """Both scorers' signals in one row by their name."""
    names = dict.fromkeys(signal.signal for signal in found.signals)
    told = {(signal.scorer, signal.signal): signal for signal in found.signals}
    return [
        {"signal": name, "a": told.get((found.a, name)), "b": told.get((found.b, name))}
        for name in names
    ]


def marked(text: str, hits: Sequence[Hit]) -> str:
    """The text as HTML, each stretch in which rules fired with their signals as its title."""
    cuts = sorted({0, len(text), *(place for hit in hits for place in (hit.start, hit.end))})
    return "".join(_stretch(text, hits, start, end) for start, end in pairwise(cuts))


def _stretch(text: str, hits: Sequence[Hit], start: int, end: int) -> str:
    said = escape(text[start:end])
    names = sorted({hit.signal for hit in hits if hit.start <= start and end <= hit.end})
    return f'<mark title="{escape(", ".join(names))}">{said}</mark>' if names else said
