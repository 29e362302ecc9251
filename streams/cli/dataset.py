"""`lem dataset`: datasets that were made: listed, verified, compared."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.context import opened, viewed
from streams.cli.shown import Json, json_lines, near, show, table
from streams.config import Settings, settings

if TYPE_CHECKING:
    from schemas import Materialized

app = typer.Typer(
    help="Look at datasets that were made.", no_args_is_help=True, rich_markup_mode=None
)

_LIST = """
select id, phase, "at", scorer, policy, files, recipe is not null as remade
from datasets order by "at", id"""
_MOST_SHOWN = 20  # rows of a difference; --json has all

Which = Annotated[
    str, typer.Argument(metavar="FOLDER|ID", help="A dataset's folder, or its id's beginning.")
]


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the datasets on the log, the oldest first.

    Example: lem dataset list
    """
    found = settings()
    with opened(found, must_exist=True) as store, viewed(store, found) as views:
        rows = [_listed(row, found, as_json=as_json) for row in views.rows(_LIST)]
    show(rows, as_json=as_json)


@app.command()
def verify(dataset: Which, as_json: Json = False) -> None:
    """Make a dataset again, as of its manifest, and compare: 0 where it is the same, 1 where not.

    With an id the folder is looked at too where it stands in LEM_HOME/datasets.

    Example: lem dataset verify 3fa9c2d1
    """
    from agents.dataset.asof import dataset as meant
    from agents.dataset.verify import verified

    found = settings()
    with opened(found, must_exist=True) as store:
        told, folder = _with_folder(meant(store, dataset), dataset, found)
        findings = verified(store, found.home_path, told, folder)
    if as_json:
        json_lines(findings)
    else:
        place = near(folder) if folder else "the log alone"
        rows = [{"file": f.file, "state": f.state, "row": f.row, "what": f.said} for f in findings]
        table(rows, title=f"dataset {told.id[:8]}: {place}")
    if not all(each.is_sound for each in findings):
        raise typer.Exit(1)


@app.command()
def diff(first: Which, second: Which, as_json: Json = False) -> None:
    """Show which rows the second dataset has beyond the first, which it lacks, and why.

    Example: lem dataset diff 3fa9c2d1 77b0e4aa
    """
    from agents.dataset.asof import dataset as meant
    from agents.dataset.diff import changes

    found = settings()
    with opened(found, must_exist=True) as store:
        one, other = meant(store, first), meant(store, second)
        made = changes(store, found.home_path, one, other)
    if as_json:
        json_lines(made)
        return
    counts: Counter[tuple[str, str]] = Counter()
    for each in made:
        counts[each.change, each.rule] += each.rows
    title = " → ".join(f"{d.id[:8]} ({len(d.generations):,} rows)" for d in (one, other))
    table([{"change": c, "rule": r, "rows": n} for (c, r), n in counts.items()], title=title)
    if made:
        shown = [
            {"change": c.change, "generation": c.generation[:8], "rule": c.rule, "why": c.reason}
            for c in made[:_MOST_SHOWN]
        ]
        table(shown)
    if (more := len(made) - _MOST_SHOWN) > 0:
        print(f"… and {more:,} more; --json lists them.")


def _listed(row: dict[str, Any], found: Settings, *, as_json: bool) -> dict[str, Any]:
    """One dataset: its rows by split, and its folder where it stands in its usual place."""
    rows = {file["name"].partition(".")[0]: file["rows"] for file in row["files"]}
    name = f"phase-{row['phase']}-{row['id'][:8]}"
    folder = found.home_path / "datasets" / name
    return {
        "dataset": row["id"] if as_json else row["id"][:8],
        "phase": row["phase"],
        "made_at": row["at"] if as_json else f"{row['at']:%Y-%m-%d %H:%M}",
        "scorer": row["scorer"],
        "policy": row["policy"] if as_json else row["policy"][:8],
        **{split: rows.get(split) for split in ("train", "valid", "test")},
        "can_be_remade": row["remade"],
        "folder": str(near(folder)) if folder.is_dir() else None,
    }


def _with_folder(
    told: "Materialized", said: str, found: Settings
) -> "tuple[Materialized, Path | None]":
    """The folder that is meant, if there is one, and the manifest that stands in it.

    The log has the first one; made again from a longer log with the same outcome, a later one
    stands in the folder.
    """
    from agents.dataset.folder import MANIFEST, read
    from agents.materialize import folder_name

    named = Path(said)
    if named.is_file():
        return told, named.parent
    if (named / MANIFEST).is_file():
        return told, named
    folder = found.home_path / "datasets" / folder_name(told)
    if (folder / MANIFEST).is_file() and (there := read(folder)).id == told.id:
        return there, folder
    return told, None
