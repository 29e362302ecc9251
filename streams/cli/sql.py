"""`lem sql`: ask every view in SQL, one query or a prompt."""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from streams.cli.context import opened, viewed
from streams.cli.shown import Json, json_lines, table
from streams.config import settings
from streams.errors import ConfigError, LemError

if TYPE_CHECKING:
    import duckdb

Format = Literal["table", "json", "csv"]
Query = Annotated[str | None, typer.Argument(help="One query; without it, from stdin or a prompt.")]
Shape = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
Limit = Annotated[int, typer.Option(min=0, help="Rows of a table at most; 0 for all.")]

_PROMPT = "lem> "
_HELP = r"One query a line. \d lists the views, \d VIEW its columns; exit or Ctrl+D leaves."
_VIEWS = r"""
select name, comment as rows from (
  select view_name as name, comment, view_oid as made from duckdb_views()
  union all
  select table_name, comment, table_oid from duckdb_tables()
)
where comment is not null order by made"""
_COLUMNS = "select column_name, data_type from duckdb_columns() where table_name = ?"
# Columns of ours that DuckDB takes for words of its own where they stand bare.
_BARE = re.compile(r'(?<![".\w])(?:at|offset|by(?=\s*(?:,|from\b)))(?![".\w])', re.IGNORECASE)


def sql(
    query: Query = None, shape: Shape = "table", as_json: Json = False, limit: Limit = 100
) -> None:
    r"""Ask the log in SQL (DuckDB's); every topic is a view, and more views build on them.

    Without a query, reads one from stdin, or shows a prompt on a terminal; there, \d lists the
    views. Put "at", "by" and "offset" in double quotes: they are words of SQL.

    Example: lem sql "select phase, rule, generations from rejections"
    """
    found = settings()
    shape = "json" if as_json else shape
    with opened(found, must_exist=True) as store, viewed(store, found) as views:
        if query is None and sys.stdin.isatty():
            prompt(views.db, shape, limit)
        else:
            run(views.db, sys.stdin.read() if query is None else query, shape, limit)


def prompt(db: "duckdb.DuckDBPyConnection", shape: Format, limit: int) -> None:
    """Answer line by line; a mistake is told in one line, and the next may be better."""
    import readline  # noqa: F401  # gives input() its history and its keys

    print(_HELP)
    for line in _lines():
        try:
            answer(db, line, shape, limit)
        except LemError as error:
            print(f"lem: {error}", file=sys.stderr)


def answer(db: "duckdb.DuckDBPyConnection", line: str, shape: Format, limit: int) -> None:
    r"""Answer one line of the prompt: a query, or `\d` with or without a view."""
    command, _, name = line.partition(" ")
    if command != "\\d":
        run(db, line, shape, limit)
    elif name:
        describe(db, name.strip())
    else:
        run(db, _VIEWS, "table", 0)


def describe(db: "duckdb.DuckDBPyConnection", name: str) -> None:
    """Print the columns of a view.

    Raises:
        ConfigError: There is no such view; the message says how to list them.
    """
    found = db.execute(_COLUMNS, [name]).fetchall()
    if not found:
        raise ConfigError(rf'No view "{name}"; \d lists those that there are.')
    table([{"column": column, "type": kind} for column, kind in found])


def run(db: "duckdb.DuckDBPyConnection", query: str, shape: Format, limit: int) -> None:
    """Run a query and print its rows.

    Raises:
        ConfigError: DuckDB refuses it; the message is the first line of DuckDB's.
    """
    import duckdb

    if not query.strip():
        raise ConfigError('There is no query; try `lem sql "select * from progress"`.')
    try:
        db.execute(query)
        names = _unique([column[0] for column in db.description or ()])
        _PRINTERS[shape](names, _rows(db), limit)
    except duckdb.Error as error:
        raise ConfigError(_mistake(error, query)) from error


def _lines() -> Iterator[str]:
    """What is typed, up to `exit` or the end of input; Ctrl+C drops a line."""
    while True:
        try:
            line = input(_PROMPT).strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            continue
        if line in ("exit", "exit;"):
            return
        if line:
            yield line


def _mistake(error: Exception, query: str) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".!")
    if "syntax error" in said and _BARE.search(query):
        said += '; the columns "at", "by" and "offset" need their double quotes'
    return f"{said}."


def _rows(db: "duckdb.DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    while batch := db.fetchmany(1000):
        yield from batch


def _unique(names: Sequence[str]) -> list[str]:
    """The names of the columns, none twice, so that a join loses none: `id`, `id_1`."""
    found: list[str] = []
    for name in names:
        again = (f"{name}_{count}" for count in range(1, len(names) + 1))
        found.append(next(each for each in chain([name], again) if each not in found))
    return found


def _print_table(names: list[str], rows: Iterator[tuple[Any, ...]], limit: int) -> None:
    shown = list(islice(rows, limit or None))
    table([dict(zip(names, (_text(v) for v in row), strict=True)) for row in shown])
    if more := sum(1 for _ in rows):
        print(f"{more:,} more; --limit 0 shows all.", file=sys.stderr)


def _print_json(names: list[str], rows: Iterator[tuple[Any, ...]], limit: int) -> None:
    json_lines(dict(zip(names, map(_plain, row), strict=True)) for row in rows)


def _print_csv(names: list[str], rows: Iterator[tuple[Any, ...]], limit: int) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(names)
    out.writerows([_text(value) for value in row] for row in rows)


_PRINTERS = {"table": _print_table, "json": _print_json, "csv": _print_csv}


def _plain(value: Any) -> Any:
    """A number stays a number in JSON; DuckDB has decimals where a query says `1.5`."""
    return float(value) if isinstance(value, Decimal) else value


def _text(value: Any) -> Any:
    """Structs, lists and maps as JSON; what is plain as it is."""
    if isinstance(value, dict | list | tuple | bytes):
        return msgspec.json.encode(value).decode()
    return _plain(value)
