"""`lem status`: how far every run is, how fast it goes, and whether a worker is at it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import figures
from streams.cli.context import opened, viewed
from streams.cli.shown import Json, cell, json_lines, near, table
from streams.config import Settings, settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.log.door import Store

Row = dict[str, Any]

_DATASETS = """
select phase, id, list_sum(list_transform(files, lambda file: file.rows)) as rows from datasets
order by phase, logged_at"""


def status(
    run: Annotated[str | None, typer.Option(help="Only runs whose id holds this text.")] = None,
    as_json: Json = False,
) -> None:
    """Show how far every run is.

    What is on the log; each run's pace over its last five minutes and the time that its requests
    take; how far each phase is from the rows that it aims at; why generations were not accepted;
    where the datasets are.

    Example: lem status --run distill-1
    """
    from streams.curriculum import load

    found = settings()
    with opened(found, must_exist=True) as store:
        counts, place, workers = _counts(store), store.place, store.workers()
        curriculum = load(Path(found.curriculum))
        with viewed(store, found, curriculum) as views:
            every = figures.runs(views)
            runs, phases = _chosen(every, run), figures.phases(views, curriculum, every)
            rejections = views.rows("select * from rejections")
            datasets = [_dataset(found, row) for row in views.rows(_DATASETS)]
    shown: Row = {
        "log": place,
        "workers": workers,
        "topics": counts,
        "runs": runs,
        "phases": phases,
        "rejections": rejections,
        "datasets": datasets,
    }
    if as_json:
        json_lines([shown])
    else:
        _print(found, shown)


def _counts(store: "Store") -> dict[str, int]:
    return {topic: store.records(topic) for topic in store.topics()}


def _dataset(found: Settings, row: Row) -> Row:
    """A dataset with its folder; one that `--out` put elsewhere, or that was deleted, has none."""
    folder = found.home_path / "datasets" / f"phase-{row['phase']}-{row['id'][:8]}"
    return row | {"folder": str(folder) if folder.is_dir() else None}


def _chosen(runs: list[Row], wanted: str | None) -> list[Row]:
    chosen = [row for row in runs if wanted is None or wanted in row["run"]]
    if wanted and not chosen:
        there = ", ".join(row["run"] for row in runs) or "none"
        raise ConfigError(f'No run\'s id holds "{wanted}"; there are: {there}.')
    return chosen


def _print(found: Settings, shown: Row) -> None:
    running = ", ".join(f"{group} ({'; '.join(who)})" for group, who in shown["workers"].items())
    print(f"Log      {shown['log']}")
    print(f"Workers  {running or 'none; `lem run` starts one'}\n")
    table([{"topic": topic, "records": count} for topic, count in shown["topics"].items()])
    if not shown["runs"]:
        print("No run yet; `lem distill --phase NAME` opens one.")
        return
    for row in shown["runs"]:
        print("\n".join(_lines(row)), end="\n\n")
    print("\n".join(map(figures.size, shown["phases"])), end="\n\n" if shown["phases"] else "")
    if shown["rejections"]:
        table(shown["rejections"], title="Not accepted, and why")
    if shown["datasets"]:
        table([_listed(row) for row in shown["datasets"]], title="Datasets")


def _listed(dataset: Row) -> Row:
    folder = dataset["folder"]
    return dataset | {"id": dataset["id"][:8], "folder": near(Path(folder)) if folder else None}


def _lines(run: Row) -> list[str]:
    """A run in three lines that fit a narrow terminal."""
    counts = {name: cell(value) for name, value in run.items()}
    pace = figures.pace(run)
    return [
        f"{run['run']}  phase {run['phase']}  {run['model']}",
        f"  {counts['generated']} of {counts['requests']} answered, {counts['failed']} failed;"
        f" {counts['accepted']} accepted, {counts['held']} held, {counts['rejected']} rejected",
        f"  {pace}{'; ' if pace else ''}{figures.left(run['left_s'])}",
    ]
