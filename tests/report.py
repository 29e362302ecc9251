"""What `lek@2.1` does that `lek@2` does not, measured on the imported history, as Markdown.

Run: python -m tests.report > agents/scorers/tables/lek@2.1.md
"""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.lem import PROJECT, command, environment

A, B = "lek@2", "lek@2.1"
DATA = PROJECT.parent / "shared" / "data" / "lem"

_DRAWS = 2000
_JUDGED = """
select judged.scorer, g.original, one.score as a, two.score as b, judged.score as judged
from scores as judged
join generations as g on g.id = judged.generation
join scores as one on one.generation = g.id and one.scorer = 'lek@2'
join scores as two on two.generation = g.id and two.scorer = 'lek@2.1'
where starts_with(judged.scorer, 'recorded@')
order by judged.scorer, g.original, g.id"""

Values = npt.NDArray[np.float64]
Row = dict[str, Any]


def report() -> str:
    """The page, from a log of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _lem(home, "import", str(DATA))
        for label in (A, B):
            _lem(home, "rescore", "--scorer", label)
        told = _rows(_lem(home, "compare", A, B, "--json"))
        judged = _rows(_lem(home, "sql", "--json", _JUDGED))
    return "\n".join(_page(told, judged)) + "\n"


def _page(told: list[Row], judged: list[Row]) -> Iterator[str]:
    head = told[0]
    yield f"# {B} beside {A}"
    yield ""
    yield "Written by `python -m tests.report` from the imported history of the predecessor:"
    yield f"{head['generations']} answers, none of them chosen. Why each rule changed stands in the"
    yield f"header of `{B}.yaml`."
    yield f"Rank correlation (Spearman) of the two: {head['correlation']:.2f}."
    yield from ("", "## How the scores lie", "")
    yield from _table(
        ("", "mean", "standard deviation", "least", "median", "most", "different scores"),
        (
            [
                s["scorer"],
                *_figures(s, "mean", "sd", "least", "median", "most"),
                s["distinct_scores"],
            ]
            for s in told
            if s["type"] == "spread"
        ),
    )
    yield from ("", "## Share of answers with a signal at its cap, in per cent", "")
    yield from _table(("signal", A, B), _caps(told))
    yield from ("", "## Agreement with judged scores", "")
    yield "Rank correlation with what judges gave the same answers. In brackets the 95 % interval"
    yield f"of the difference: {_DRAWS} bootstrap samples of probes, whose answers stay together."
    yield "An interval that holds 0 shows no difference."
    yield ""
    yield from _table(("judged", "answers", A, B, "difference"), _agreements(judged))


def _caps(told: list[Row]) -> Iterator[list[object]]:
    found = {(s["scorer"], s["signal"]): s["at_cap"] for s in told if s["type"] == "signal"}
    for (scorer, signal), share in found.items():
        if scorer == A and share is not None:
            yield [signal, f"{100 * share:.0f}", f"{100 * found[B, signal]:.0f}"]


def _agreements(judged: list[Row]) -> Iterator[list[object]]:
    for judge in dict.fromkeys(row["scorer"] for row in judged):
        rows = [row for row in judged if row["scorer"] == judge]
        a, b, by = (np.array([row[name] for row in rows]) for name in ("a", "b", "judged"))
        low, high = _interval(a, b, by, [row["original"] for row in rows])
        one, two = _correlation(a, by), _correlation(b, by)
        difference = f"{two - one:+.2f} ({low:+.2f} to {high:+.2f})"
        yield [judge.partition("@")[2], len(rows), f"{one:.2f}", f"{two:.2f}", difference]


def _interval(a: Values, b: Values, by: Values, probes: Sequence[str]) -> tuple[float, float]:
    chance = np.random.default_rng(1)
    groups = [np.flatnonzero(np.array(probes) == probe) for probe in dict.fromkeys(probes)]
    found = []
    for _ in range(_DRAWS):
        drawn = np.concatenate([groups[n] for n in chance.integers(len(groups), size=len(groups))])
        found.append(_correlation(b[drawn], by[drawn]) - _correlation(a[drawn], by[drawn]))
    low, high = np.nanquantile(found, (0.025, 0.975))
    return float(low), float(high)


def _correlation(x: Values, y: Values) -> float:
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: Values) -> Values:
    """The mean place of each among equals."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    places: Values = (np.cumsum(counts) - (counts + 1) / 2)[at]
    return places


def _figures(row: Row, *names: str) -> list[str]:
    return [f"{row[name]:.2f}" for name in names]


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    for row in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(map(str, row))} |"


def _lem(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        command(*arguments),
        env=environment(home),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    return done.stdout


def _rows(printed: str) -> list[Row]:
    return [json.loads(line) for line in printed.splitlines()]


if __name__ == "__main__":
    print(report(), end="")
