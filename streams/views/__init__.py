"""The views: one select a file, over what `streams.replay` makes of each topic.

A file NN_name.sql makes the view `name`; NN is the order of dependency, and its first line is a
comment that says what one row is. Knows DuckDB, not the log.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class View(NamedTuple):
    """One file of this folder."""

    name: str
    about: str
    """What one row is."""
    select: str


@cache
def load() -> tuple[View, ...]:
    """Every view, each after those that it reads."""
    found = (file for file in files(__name__).iterdir() if file.name.endswith(".sql"))
    return tuple(
        _view(file.name, file.read_text(encoding="utf-8"))
        for file in sorted(found, key=lambda file: file.name)
    )


def name_of(topic: str) -> str:
    """The view of a topic: SQL reads `dead-letters` as a subtraction."""
    return topic.replace("-", "_")


def add_table(
    db: "duckdb.DuckDBPyConnection", name: str, shape: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Make a table of these rows."""
    import pyarrow as pa

    db.execute(f"create table {name} ({shape})")
    if rows:  # as columns: DuckDB takes half a millisecond for each row that it is given alone
        columns = list(zip(*rows, strict=True))
        db.register("given", pa.table(columns, names=[f"c{at}" for at in range(len(columns))]))
        db.execute(f"insert into {name} from given")
        db.unregister("given")


def add_topic(
    db: "duckdb.DuckDBPyConnection", topic: str, copied: Sequence[Path], tail: "pa.Table"
) -> None:
    """Make `log_TOPIC` of a topic's files and of its rows in memory, every event once.

    An event that stands on the log again (the embedded log refuses it, another kind may not)
    counts where it stands first.
    """
    name = name_of(topic)
    db.register("given", tail)
    db.execute(f"create table tail_{name} as from given")
    db.unregister("given")
    every = f"from tail_{name}"
    if copied:
        paths = ", ".join(_quoted(str(path)) for path in copied)
        every = f"from read_parquet([{paths}]) union all by name {every}"
    db.execute(f"create view every_{name} as {every}")
    once = f"from every_{name}"
    if _has_repeats(db, name):
        db.execute(f"create table repeats_{name} as {_REPEATS.format(name=name)}")
        once += f' anti join repeats_{name} using ("partition", "offset")'
    db.execute(f"create view log_{name} as {once}")


def add_views(db: "duckdb.DuckDBPyConnection") -> None:
    """Make every view; the topics and tables that they read are there already."""
    for view in load():
        db.execute(f"create view {view.name} as {view.select}")
        db.execute(f"comment on view {view.name} is {_quoted(view.about)}")


_REPEATS = """
  select "partition", "offset" from every_{name}
  where id in (select id from every_{name} where id <> '' group by id having count(*) > 1)
  qualify row_number() over (partition by id order by "partition", "offset") > 1
"""


def _has_repeats(db: "duckdb.DuckDBPyConnection", name: str) -> bool:
    found = db.execute(
        f"select count(id) > count(distinct id) from every_{name} where id <> ''"
    ).fetchone()
    return bool(found and found[0])


def _view(file: str, text: str) -> View:
    name = file.removesuffix(".sql").partition("_")[2]
    return View(name, text.partition("\n")[0].removeprefix("-- ").rstrip("."), text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
