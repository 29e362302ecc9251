"""The pictures of a comparison, as SVG that stands in a page by itself."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agents.compare.numbers import Density, Signal, Spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_A, _B = "#c2571a", "#2a6f97"  # orange and blue are told apart by nearly everyone


def scores(spreads: Sequence[Spread], density: Density) -> str:
    """How often each score is given, one scorer below the other."""
    figure = _figure(7, 4)
    columns = zip(*density.counts, strict=True)
    counted = ([sum(row) for row in density.counts], [sum(column) for column in columns])
    axes = figure.subplots(2, 1, sharex=True)
    each = zip(axes, spreads, counted, (density.a, density.b), (_A, _B), strict=True)
    for axis, spread, counts, edges, colour in each:
        axis.stairs(counts, edges, fill=True, color=colour)
        axis.axvline(spread.median, color="black", linewidth=0.8)
        axis.set_ylabel(spread.scorer)
    axes[1].set_xlabel("score; the line is the median")
    return _svg(figure)


def pairs(spreads: Sequence[Spread], density: Density) -> str:
    """Which scores go together: a cell is darker the more generations have that pair."""
    import numpy as np

    figure = _figure(5, 4)
    axis = figure.subplots()
    shown = axis.pcolormesh(
        density.a, density.b, np.log10(np.maximum(np.transpose(density.counts), 0.5)), cmap="Greys"
    )
    shown.set_clim(vmin=np.log10(0.5))
    shown.set_rasterized(True)
    axis.set_xlabel(spreads[0].scorer)
    axis.set_ylabel(spreads[1].scorer)
    return _svg(figure)


def caps(a: Sequence[Signal], b: Sequence[Signal]) -> str:
    """The share of generations in which a signal is at its cap; nothing where none has one."""
    shares = [{s.signal: s.at_cap for s in side if s.at_cap is not None} for side in (a, b)]
    names = list(dict.fromkeys([*shares[0], *shares[1]]))[::-1]
    if not names:
        return ""
    figure = _figure(7, 1 + 0.4 * len(names))
    axis = figure.subplots()
    sides = zip((0.2, -0.2), shares, (a, b), (_A, _B), strict=True)
    for shift, share, side, colour in sides:
        places = [at + shift for at in range(len(names))]
        widths = [100 * share.get(name, 0) for name in names]
        axis.barh(places, widths, height=0.4, color=colour, label=side[0].scorer)
    axis.set_yticks(range(len(names)), names)
    axis.set_xlim(0, 100)
    axis.set_xlabel("% of the answers in which more of it would add nothing")
    axis.legend(frameon=False)
    return _svg(figure)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure: "Figure") -> str:
    """The picture, without what changes from run to run."""
    import matplotlib as mpl

    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "lem", "svg.fonttype": "none"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue().partition("<svg")[2].join(["<svg", ""])
