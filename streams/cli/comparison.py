"""The report of an A/B test: its scores made whole, its tables, its file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.ab import BASELINE
from streams.cli.context import viewed
from streams.cli.shown import cell, json_lines, progress, table
from streams.config import Settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.ab.answers import Choice, Trial
    from agents.ab.comparing import Line
    from streams.log.door import Store
    from streams.replay import Views

Row = dict[str, Any]

_LEGEND = """\
A probe with its rephrasings and samples counts once; up and down is by more than half a point.
An interval is of one comparison; a verdict follows from p, corrected over the whole table.
Could show: the least difference that so many probes would show in four of five tests.
"""


def score(store: "Store", found: Settings, by: str, choice: "Choice") -> None:
    """Score what this scorer has not scored: no gate asks for it, so no worker did."""
    from agents.importing.ab import SCORER as RECORDED
    from agents.rescore import Choice as Some
    from agents.rescore import missing, rescored
    from agents.scorers import scorer
    from streams.envelope import written

    if by == RECORDED:  # it stands in imported files, and nothing can give it again
        return
    one, some = scorer(by), Some(phase=choice.phase, model=choice.model)
    with viewed(store, found) as views, progress("scoring", missing(views, one, some)) as bar:
        for count in written(store, rescored(views, one, some)):
            bar.update(bar.task_ids[0], advance=count)


def export(
    views: "Views",
    trials: "Sequence[Trial]",
    lines: "Sequence[Sequence[Line]]",
    by: str,
    out: Path,
) -> None:
    """Write the one trial as the predecessor's A/B JSONL; the file is whole, or not there.

    Raises:
        ConfigError: There are several, or the file can't be written.
    """
    from agents.ab.written import rows

    if len(trials) > 1:
        models = ", ".join(sorted({f"{each.model} ({_drawn(each)})" for each in trials}))
        raise ConfigError(
            f"--out takes one trial a file, but there are {len(trials)}: {models}. Choose one with"
            " --model."
        )
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            for row in rows(views, trials[0], lines[0], by):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        part.replace(out)
    except OSError as error:
        raise ConfigError(f"{out} can't be written: {error.strerror}.") from error


def show_trials(
    trials: "Sequence[Trial]", lines: "Sequence[Sequence[Line]]", by: str, *, as_json: bool
) -> None:
    """Print every trial with what was said of it; the sum last, where a terminal shows it."""
    for trial, told in zip(trials, lines, strict=True):
        if as_json:
            json_lines(_facts(trial, by) | _fields(line) for line in told)
        else:
            _show(trial, told, by)


def _facts(trial: "Trial", by: str) -> Row:
    return {
        "model": trial.model,
        "sampling": trial.sampling,
        "scorer": by,
        "waiting": trial.waiting,
        "unscored": trial.unscored,
    }


def _fields(line: "Line") -> Row:
    from msgspec.structs import asdict

    return asdict(line)


def _show(trial: "Trial", lines: "Sequence[Line]", by: str) -> None:
    print(f"{trial.model}  {by}  {_drawn(trial)}\n")
    if trial.answers:
        table(_probes(lines), title="By probe")
        table(_categories(lines), title="By category")
    table(_sums(lines), title="Over all probes")
    print(_LEGEND)
    for sentence in (*_verdicts(lines), *_lacking(trial)):
        print(sentence)
    print()


def _drawn(trial: "Trial") -> str:
    drawn = trial.sampling
    return f"temperature {drawn.temperature:g}, top_p {drawn.top_p:g}, {drawn.max_tokens} tokens"


def _probes(lines: "Sequence[Line]") -> list[Row]:
    """A row for each probe: what it was scored under each condition, and what that changed."""
    rows: dict[str, Row] = {}
    for line in _of(lines, "probe", "all"):
        row = rows.setdefault(line.name, {"probe": line.name})
        row[line.condition] = line.mean
        if not _is_plain(line):
            row[f"Δ {line.condition}"] = line.delta
        row[f"failed {line.condition}"] = line.failed or None
    return [_without_empty(row, rows.values()) for row in rows.values()]


def _without_empty(row: Row, rows: "Iterable[Row]") -> Row:
    """A column of failures is shown where there are any."""
    shown = {name for each in rows for name, value in each.items() if value is not None}
    kept = [name for name in row if name in shown or not name.startswith("failed ")]
    return {name: row[name] for name in kept}


def _categories(lines: "Sequence[Line]") -> list[Row]:
    ok = {(line.name, line.condition): line for line in _of(lines, "category", "ok")}
    plain = {line.name: line.mean for line in _of(lines, "category", "all") if _is_plain(line)}
    return [
        {
            "category": line.name,
            "kernel": line.condition,
            "probes": line.probes,
            "baseline": plain[line.name],
            "mean": line.mean,
            "delta": line.delta,
            "95 % interval": _interval(line),
            "delta, ok only": ok[line.name, line.condition].delta,
            "p (Holm)": _p(line.p_holm),
            "up / down / same": _changes(line),
            "verdict": line.verdict,
        }
        for line in _of(lines, "category", "all")
        if not _is_plain(line)
    ]


def _sums(lines: "Sequence[Line]") -> list[Row]:
    return [
        {
            "answers": "all" if line.counted == "all" else "ok only",
            "condition": line.condition,
            "scored": line.answers,
            "failed": line.failed,
            "probes": line.probes,
            "mean": line.mean,
            "delta": line.delta,
            "95 % interval": _interval(line),
            "p (Holm)": _p(line.p_holm),
            "up / down / same": _changes(line),
            "could show": line.smallest,
            "verdict": line.verdict,
        }
        for line in (*_of(lines, "all", "all"), *_of(lines, "all", "ok"))
    ]


def _verdicts(lines: "Sequence[Line]") -> Iterator[str]:
    """A sentence for each kernel, and another where leaving out failed answers changes it."""
    ok = {line.condition: line for line in _of(lines, "all", "ok")}
    for line in _of(lines, "all", "all"):
        if _is_plain(line):
            continue
        yield f"{line.condition}: {_said(line)}."
        other = ok[line.condition]
        if other.verdict != line.verdict:
            yield f"  It hangs on failed answers: without them, {_said(other)}."


def _said(line: "Line") -> str:
    if line.delta is None:
        return "no probe was answered both with it and without it"
    if line.verdict == "too few":
        return f"{line.probes} probes are too few for a test ({line.delta:+.2f})"
    if line.verdict == "no evidence":
        could = f"; {line.probes} probes could show {cell(line.smallest)}" if line.smallest else ""
        return f"no evidence of a difference ({line.delta:+.2f}){could}"
    return f"{line.verdict} than the baseline by {abs(line.delta):.2f}, over {line.probes} probes"


def _lacking(trial: "Trial") -> Iterator[str]:
    if trial.waiting:
        yield f"{trial.waiting:,} requests have no answer yet; `lem run` goes on with them."
    if trial.unscored:
        yield f"{trial.unscored:,} answers have no score by this scorer, and are left out."


def _of(lines: "Sequence[Line]", level: str, counted: str) -> "list[Line]":
    return [line for line in lines if line.level == level and line.counted == counted]


def _is_plain(line: "Line") -> bool:
    return line.condition == BASELINE


def _interval(line: "Line") -> str:
    return "-" if line.low is None else f"{line.low:+.2f} to {line.high:+.2f}"


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _changes(line: "Line") -> str:
    """How many probes improved, regressed, and did neither."""
    counts = (line.improved, line.regressed, line.unchanged)
    return "-" if _is_plain(line) else " / ".join(map(str, counts))
