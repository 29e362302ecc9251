"""A trial as the predecessor's A/B JSONL: a line for each probe, a summary at the end.

`lem import` reads it again. What the format has no place for, the summary says under names of its
own: scorer, sampling, and the digest of each kernel; a line says which sample it is, where there
are several.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from agents.ab import BASELINE
from agents.ab.answers import Trial
from agents.ab.comparing import Line

if TYPE_CHECKING:
    from streams.replay import Views

Row = dict[str, Any]

_CELLS = """
select g.id as generation, g.probe, g.prompt, g.response, g.outcome, g.error, g."at",
  g.prefill_s + g.decode_s as seconds, coalesce(p.domain, 'uncategorised') as category,
  s.score, s.signals
from generations g
join (select unnest($generations) as generation) chosen on chosen.generation = g.id
left join probes p on p.probe = g.original
join (
  select generation, arg_max(score, "offset") as score, arg_max(signals, "offset") as signals
  from scores where scorer = $scorer group by generation
) s on s.generation = g.id
order by g.original, g.probe"""


def rows(views: "Views", trial: Trial, lines: Sequence[Line], scorer: str) -> Iterator[Row]:
    """The lines of the file.

    Args:
        views: The views that the trial was read from.
        trial: What was asked and answered.
        lines: What was said of it.
        scorer: Name and version of the scorer.
    """
    chosen = {"generations": list(trial.generations), "scorer": scorer}
    cells = views.rows(_CELLS, chosen)
    asked = trial.generations
    cells.sort(key=lambda cell: (cell["probe"], asked[cell["generation"]].sample))
    several = any(each.sample for each in asked.values())
    for (_, sample), part in groupby(cells, lambda cell: asked[cell["generation"]][:2]):
        found = {asked[cell["generation"]].condition: cell for cell in part}
        yield _probe(found, trial.conditions) | ({"sample": sample} if several else {})
    yield _summary(trial, lines, sum(cell["seconds"] for cell in cells)) | {"scorer": scorer}


def _probe(found: dict[str, Row], conditions: Sequence[str]) -> Row:
    first = next(iter(found.values()))
    return {
        "type": "probe",
        "id": first["probe"],
        "category": first["category"].lower(),
        "prompt": first["prompt"],
        "conditions": {name: _cell(found[name]) for name in conditions if name in found},
        "ts": max(cell["at"] for cell in found.values()).astimezone(UTC).isoformat(),
    }


def _cell(cell: Row) -> Row:
    failed = cell["outcome"] == "error"
    response = f"ERROR: {cell['error']}" if failed else cell["response"]
    signals = {name: _plain(value) for name, value in cell["signals"].items()}
    return {
        "response": response,
        "lek_score": cell["score"],
        "heuristic": {**signals, "lek_score": cell["score"]},
        "chars": len(response),
        "time_s": round(cell["seconds"], 1),
    }


def _summary(trial: Trial, lines: Sequence[Line], seconds: float) -> Row:
    told = [line for line in lines if line.counted == "all"]
    every = [line for line in told if line.level == "all"]
    return {
        "type": "summary",
        "model": trial.model.removeprefix("mlx:").removeprefix("import:"),
        "total_probes": len({line.name for line in told if line.level == "probe"}),
        "conditions": [_condition(line) for line in every],
        "categories": _categories(told),
        "duration": f"{round(seconds)}s",
        "max_tokens": trial.sampling.max_tokens,
        "ts": datetime.now(UTC).isoformat(),
        "sampling": msgspec.to_builtins(trial.sampling),
        "kernels": trial.digests,
    }


def _condition(line: Line) -> Row:
    counts = {name: getattr(line, name) for name in ("improved", "regressed", "unchanged")}
    delta = {} if line.condition == BASELINE else {"delta_vs_baseline": _two(line.delta)}
    return {"name": line.condition, "avg_lek": _two(line.mean), **counts, **delta}


def _categories(lines: Sequence[Line]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for line in lines:
        if line.level == "category" and line.mean is not None:
            found.setdefault(line.name.lower(), {})[line.condition] = round(line.mean, 2)
    return found


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _plain(value: float) -> float | int:
    """Counts as the predecessor wrote them: 3, not 3.0."""
    return int(value) if value.is_integer() else value
