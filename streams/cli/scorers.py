"""`lem scorers`: which there are, what each is made of, how two differ, and whether they hold."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.shown import Json, json_lines, show
from streams.cli.testing import check
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.scorers import Scorer

Label = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="As lek@2.")]

app = typer.Typer(help="The scorers.", no_args_is_help=True, rich_markup_mode=None)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """Show every scorer: ours, those in LEM_SCORERS, and installed ones.

    One that can't be used is shown with the reason, and the exit code is 1; the others can be.

    Example: lem scorers list
    """
    from agents.scorers import tried

    found = dict(tried())
    row = _row if as_json else _told
    show([row(label, one) for label, one in found.items()], as_json=as_json)
    if any(isinstance(one, ConfigError) for one in found.values()):
        raise typer.Exit(1)


def _row(label: str, one: "Scorer | ConfigError") -> dict[str, Any]:
    if isinstance(one, ConfigError):
        return {"scorer": label, "error": str(one)}
    return {"scorer": label, "what": one.summary, "definition": one.definition}


def _told(label: str, one: "Scorer | ConfigError") -> dict[str, Any]:
    if isinstance(one, ConfigError):
        return {"scorer": label, "what": f"Can't be used. {one}", "definition": None}
    return {"scorer": label, "what": one.summary, "definition": one.definition[:12]}


@app.command(name="show")
def show_(label: Label, as_json: Json = False) -> None:
    """Show what a scorer is made of; a table as the file that a new version begins with.

    Of one that is a program, only the phrases that it looks for are shown.

    Example: lem scorers show lek@2 > lek@3.yaml
    """
    from agents.scorers import scorer

    one = scorer(label)
    if as_json:
        json_lines([{"scorer": one.label, "definition": one.definition, **_source(one)}])
    else:
        print(_yaml(_source(one)), end="")


@app.command()
def diff(label: Label, other: Label) -> None:
    """Show how two definitions differ, line by line; exit code 1 where they do.

    Fixtures are left out: they define nothing.

    Example: lem scorers diff lek@2 lek@2-distill
    """
    from difflib import unified_diff

    from agents.scorers import scorer

    one, two = (_defining(scorer(each)).splitlines() for each in (label, other))
    lines = list(unified_diff(one, two, label, other, lineterm="", n=1))
    print("\n".join(lines) if lines else f"{label} and {other} are made of the same.")
    if lines:
        raise typer.Exit(1)


app.command(name="test")(check)


def _defining(one: "Scorer") -> str:
    return _yaml({name: value for name, value in _source(one).items() if name != "fixtures"})


def _yaml(source: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(source, sort_keys=False, allow_unicode=True, width=100)


def _source(one: "Scorer") -> dict[str, Any]:
    if one.source:
        return one.source
    rules: dict[str, list[str]] = {}
    for rule in one.rules:
        rules.setdefault(rule.signal, []).append(rule.rule)
    about = {"name": one.name, "version": one.version, "summary": one.summary}
    return about | ({"rules": rules} if rules else {})
