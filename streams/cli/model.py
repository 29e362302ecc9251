"""`lem model`: models on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from streams.config import settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def models() -> None:
    """Models on this machine."""


@app.command()
def tiny(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to; LEM_HOME/models/tiny if none.")
    ] = None,
) -> None:
    """Build a tiny Gemma-3 model that writes noise: for trying things out without a download.

    Example: lem model tiny
    """
    from agents.models.tiny import build

    target = folder or Path(settings().home) / "models" / "tiny"
    print(f"mlx:{build(target)}")
