"""`lem scorers`: which there are, what each is made of, and how two differ."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.shown import Json, json_lines, show

if TYPE_CHECKING:
    from agents.scorers import Scorer

Label = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="As lek@2.")]

app = typer.Typer(help="The scorers.", no_args_is_help=True, rich_markup_mode=None)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """Show every scorer: ours, those in LEM_SCORERS, and installed ones.

    Example: lem scorers list
    """
    from agents.scorers import scorers

    rows = [
        {
            "scorer": one.label,
            "what": one.summary,
            "definition": one.definition if as_json else one.definition[:12],
        }
        for one in scorers()
    ]
    show(rows, as_json=as_json)


@app.command(name="show")
def show_(label: Label, as_json: Json = False) -> None:
    """Show what a scorer is made of; a table as the file that a new version begins with.

    Example: lem scorers show lek@2 > lek@3.yaml
    """
    from agents.scorers import scorer

    one = scorer(label)
    if as_json:
        json_lines([{"scorer": one.label, "definition": one.definition, **one.source}])
    else:
        print(_written(one), end="")


@app.command()
def diff(label: Label, other: Label) -> None:
    """Show how two definitions differ, line by line; exit code 1 where they do.

    Example: lem scorers diff lek@2 lek@2-distill
    """
    from difflib import unified_diff

    from agents.scorers import scorer

    one, two = (_written(scorer(each)).splitlines() for each in (label, other))
    lines = list(unified_diff(one, two, label, other, lineterm="", n=1))
    print("\n".join(lines) if lines else f"{label} and {other} are made of the same.")
    if lines:
        raise typer.Exit(1)


def _written(one: "Scorer") -> str:
    import yaml

    return yaml.safe_dump(one.source, sort_keys=False, allow_unicode=True, width=100)
