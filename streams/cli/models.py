"""`lem models`: which models this machine has room for, and which lie on it."""

from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.shown import Json, cell, json_lines, table
from streams.config import settings

if TYPE_CHECKING:
    from agents.models.inventory import Found

_GB = 10**9


def models(*, as_json: Json = False) -> None:
    """Show which models this machine has room for, and which lie on it.

    Those that are recommended come first, then what else is found in the hub's cache and in
    LEM_HOME/models. What is not here yet is downloaded when it is asked for the first time.

    Example: lem models
    """
    from agents.models.inventory import inventory, machine_bytes

    memory = machine_bytes()
    found = inventory([Path(settings().home) / "models"], memory=memory)
    if as_json:
        json_lines(found)
        return
    print(f"This machine has {memory / _GB:.0f} GB of memory.")
    table([_row(each) for each in found])


def _row(found: "Found") -> dict[str, str]:
    needed = found.memory_bytes
    return {
        "model": found.model,
        "size": cell(found.parameters),
        "weights": cell(found.quantization),
        "needs": "-" if needed is None else _amount(needed),
        "fits": {True: "yes", False: "no", None: "-"}[found.fits],
        "on disk": "-" if found.size_bytes is None else _amount(found.size_bytes),
        "state": "here" if found.is_whole else f"has {found.lacks}" if found.lacks else "not here",
    }


def _amount(size: int) -> str:
    return f"{size / _GB:,.1f} GB" if size >= _GB / 10 else f"{size / 10**6:,.1f} MB"
