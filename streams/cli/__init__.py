"""`lem`: one command for each verb; here an error becomes one line and an exit code."""

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

import typer

from streams.cli.shown import harmless
from streams.errors import LemError

_COMMANDS = (
    "seed",
    "distill",
    "expand",
    "run",
    "status",
    "coverage",
    "tail",
    "sql",
    "gate",
    "review",
    "materialize",
    "publish",
    "explain",
    *("score", "rescore", "compare", "models"),
)
_NOUNS = ("ab", "dataset", "draft", "log", "model", "scorers")


@functools.cache
def program() -> typer.Typer:
    """The whole command line: each command is the function of its name in the file of its name."""
    app = typer.Typer(
        name="lem",
        help="Turn ethical probes into training sets; every step is an event on a log.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in _COMMANDS:
        command: Callable[..., Any] = getattr(importlib.import_module(f"streams.cli.{name}"), name)
        app.command()(command)
    app.command("import")(importlib.import_module("streams.cli.importing").import_)
    for name in _NOUNS:
        app.add_typer(importlib.import_module(f"streams.cli.{name}").app, name=name)
    return app


def main() -> None:
    """Run `lem`; 0 for done, 1 for a mistake told on stderr, 2 for wrong usage, 130 for Ctrl+C."""
    try:
        program()()
    except LemError as error:
        print(f"lem: {harmless(str(error))}", file=sys.stderr)
        sys.exit(1)
