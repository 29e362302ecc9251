"""The steps, in the order of the data: each file is a pure core, and at its foot the loop."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.app import App

STEPS = ("rephrase", "generate", "score", "gate", "dedup", "materialize")


def join(app: "App") -> None:
    """Let every agent join the app."""
    # Imported here: a command that scores one text must not wait for Faust.
    for step in STEPS:
        import_module(f"agents.{step}").join(app)
