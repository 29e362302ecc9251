"""Rows of the golden set, of the Gemini runs, and of what was validated or expanded from seeds.

The first two were asked with the kernel on both sides of the prompt, which is their kernel here.
"""

from collections.abc import Iterator
from typing import Any

from agents.importing.probes import probe
from agents.importing.rows import number, said, text
from agents.importing.told import UNRECORDED, About, Recorded, Told, kernel, model
from schemas import Kernel

_SANDWICH = kernel("sandwich")


def read(value: dict[str, Any], about: About) -> Iterator[Told]:
    """The response of a row.

    Raises:
        BadRow: It has no prompt, or a value that is none of its kind.
    """
    yield Recorded(
        probe=probe(value),
        response=said(value),
        model=model(text(value, "model")),
        kernel=_kernel(value),
        seconds=number(value, "gen_time", "time") or 0.0,
    )


def _kernel(row: dict[str, Any]) -> Kernel | None:
    if "worker" in row or ("region" in row and "idx" not in row):
        return _SANDWICH
    # An expansion has its place in the list of prompts; it was asked of a trained model, plainly.
    return None if "idx" in row and "model" in row else UNRECORDED
