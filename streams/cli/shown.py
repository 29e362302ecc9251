"""What the commands share: options said the same way, tables, JSON lines, progress."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, for scripts.")]
Row = Mapping[str, Any]

# What a terminal obeys rather than shows, or what turns the order of letters round. One sign for
# one, so that places in the text stay.
_CONTROLS = {
    code: "�"
    for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}


def console(*, stderr: bool = False) -> "Console":
    """The terminal; a pipe gets plain text as wide as it needs."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 200, highlight=False)


def json_lines(rows: Iterable[object]) -> None:
    """Print each row as one line of JSON."""
    for row in rows:
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    sys.stdout.flush()


def table(rows: Sequence[Row], *, title: str | None = None) -> None:
    """Print the rows as a table, numbers to the right; columns are the first row's keys."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("(no rows)")
        return
    shown = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        shown.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell(value)) for value in row.values()))
    console().print(shown)


def cell(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return harmless(str(value))


def harmless(text: str) -> str:
    """A text of a model, a server or a person, as long as before, that commands no terminal."""
    return text.translate(_CONTROLS)


def near(path: Path) -> Path:
    """The path as the user would type it from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def show(rows: Sequence[Row], *, as_json: bool, title: str | None = None) -> None:
    """Print rows for a script or for a person."""
    if as_json:
        json_lines(rows)
    else:
        table(rows, title=title)


@contextmanager
def progress(
    what: str, total: int | None = None, *, below: Callable[[], str] = str
) -> Iterator["Progress"]:
    """Show a bar with rate and time left on stderr; it leaves no trace in a pipe.

    Advance it with `shown.update(shown.task_ids[0], advance=n)`. What `below` says stands under it.
    """
    from rich.console import RenderableType
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.1f}/s" if task.speed else "")

    class Bar(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            if said := below():
                yield Text(said, style="dim")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    screen = console(stderr=True)
    with Bar(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        bar.add_task(what, total=total)
        yield bar


@contextmanager
def completed_later(what_stays: str) -> Iterator[None]:
    """Leave at Ctrl+C what the same command goes on with."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"Stopped. {what_stays}; the same command goes on.", file=sys.stderr)
        raise typer.Exit(130) from None


def refuse_misplaced(context: typer.Context) -> None:
    """Refuse options of a noun that stand before its verb, which would not see them.

    Raises:
        typer.BadParameter: One was given.
    """
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            verb = context.invoked_subcommand
            raise typer.BadParameter(
                f"options of the {verb} stand behind it: lem {context.info_name} {verb} …"
            )
