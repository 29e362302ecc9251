"""How fast a run goes and what comes of it, over its last five minutes; said once for all commands.

Each figure in a sentence, where the last five minutes end now, or with the last answer of a run
that is done, and begin no earlier than the first answer in them was begun:

* `answers_per_s`: generations that came onto the log, by the seconds.
* `tokens_per_s`: tokens that these answers are made of, reasoning too, by the same seconds.
* `saved_share`: of the tokens of their prompts, the share that was not read again.
* `rows_per_hour`: of these answers, those that are admitted now, by the same time in hours.
* `left_s`, of a run: its requests without an answer, by `answers_per_s`.
* `left_s`, of a phase: the rows that it lacks to its size, by `rows_per_hour` of its runs at work.
* `planned_s`, of a phase: the longest `left_s` of those runs; a shorter one than the phase's says
  that more requests are to be planned.

What was imported has no pace.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from streams.cli.shown import cell

if TYPE_CHECKING:
    from streams.curriculum import Curriculum
    from streams.replay import Views

Row = dict[str, Any]

_WINDOW = timedelta(minutes=5)
_LEAST_S = 1.0  # a rate over less than a second says nothing

_RECENT = """
with
last as (
  select run, max(logged_at) as last_at from generations group by run
),
windows as (
  select run, if(requests > generated, $now, last_at) as until
  from progress join last using (run)
  where not starts_with(run, 'import-')
),
recent as (
  select
    generations.*,
    until,
    logged_at - to_microseconds(((prefill_s + decode_s) * 1e6)::bigint) as began_at
  from generations join windows using (run)
  where logged_at between until - $window and until
)
select
  recent.run,
  count(*) as answers,
  sum(completion_tokens)::bigint as tokens,
  sum(prompt_tokens)::bigint as prompts,
  sum(saved_tokens)::bigint as saved,
  count_if(verdict = 'accepted') as rows,
  epoch(any_value(until)) - epoch(greatest(min(began_at), any_value(until) - $window)) as seconds
from recent left join verdicts on verdicts.generation = recent.id
group by recent.run"""

_ROWS = "select phase, count(*) as rows from verdicts where verdict = 'accepted' group by phase"


def runs(views: "Views", now: datetime | None = None) -> list[Row]:
    """The view `progress`, and for each run its pace and the seconds left."""
    values = {"now": now or datetime.now(UTC), "window": _WINDOW}
    recent = {row["run"]: row for row in views.rows(_RECENT, values)}
    found = views.rows("select * from progress order by started_at, run")
    return [row | _pace(row, recent.get(row["run"])) for row in found]


def phases(views: "Views", curriculum: "Curriculum", found: Iterable[Row]) -> list[Row]:
    """Each phase that has runs: its rows, how many it aims at, and how long that takes."""
    rows = {row["phase"]: row["rows"] for row in views.rows(_ROWS)}
    by_phase: dict[str, list[Row]] = {}
    for run in found:
        by_phase.setdefault(run["phase"], []).append(run)
    return [
        _phase(name, rows.get(name, 0), curriculum.phase(name).target.examples, its_runs)
        for name, its_runs in by_phase.items()
        if name in curriculum.phases
    ]


def pace(row: Row) -> str:
    """A run's pace as a person reads it; nothing where it has none."""
    if not row["answers_per_s"]:
        return ""
    share = row["saved_share"]
    said = [
        f"{cell(row['answers_per_s'])} answers/s",
        f"{row['tokens_per_s']:,.0f} tokens/s",
        f"{share:.0%} of prompt tokens saved" if share is not None else "",
        f"{row['rows_per_hour']:,.0f} rows/hour",
    ]
    return ", ".join(part for part in said if part)


def size(row: Row) -> str:
    """How far a phase is from its size."""
    said = f"phase {row['phase']}: {row['rows']:,} of {row['size']:,} rows"
    if row["left_s"] is None:
        return said
    is_short = row["left_s"] > row["planned_s"]
    return f"{said}, {left(row['left_s'])}" + ("; more than is planned" if is_short else "")


def left(seconds: float | None) -> str:
    """The time left as a person reads it."""
    if seconds is None:
        return "waiting for a worker"
    return "done" if seconds <= 0 else f"{timedelta(seconds=round(seconds))} left"


def _pace(run: Row, recent: Row | None) -> Row:
    open_requests = run["requests"] - run["generated"]
    left_s = 0.0 if open_requests <= 0 else None
    if not recent:
        return dict.fromkeys(_PACE) | {"left_s": left_s}
    seconds = max(_LEAST_S, recent["seconds"])
    per_s = recent["answers"] / seconds
    return {
        "answers_per_s": per_s,
        "tokens_per_s": recent["tokens"] / seconds,
        "saved_share": recent["saved"] / recent["prompts"] if recent["prompts"] else None,
        "rows_per_hour": 3600 * recent["rows"] / seconds,
        "left_s": max(0, open_requests) / per_s,
    }


_PACE = ("answers_per_s", "tokens_per_s", "saved_share", "rows_per_hour", "left_s")


def _phase(name: str, rows: int, wanted: int, its_runs: list[Row]) -> Row:
    at_work = [run for run in its_runs if run["left_s"]]
    per_hour = sum(run["rows_per_hour"] for run in at_work)
    lacking = max(0, wanted - rows)
    left_s = 3600 * lacking / per_hour if per_hour else None
    return {
        "phase": name,
        "rows": rows,
        "size": wanted,
        "rows_per_hour": per_hour,
        "left_s": left_s if lacking else 0.0,
        "planned_s": max((run["left_s"] for run in at_work), default=0.0),
    }
