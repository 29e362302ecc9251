"""Responses to benchmark items and to probes, one a line, with the model that gave them.

Benchmarks were asked without a kernel. A seed that came with a response says nothing of either.
"""

from collections.abc import Iterator
from typing import Any

from agents.importing.probes import probe
from agents.importing.rows import number, said, text
from agents.importing.told import UNRECORDED, About, Recorded, Told, model


def read(value: dict[str, Any], about: About) -> Iterator[Told]:
    """The response of a row.

    Raises:
        BadRow: It has no prompt, or a value that is none of its kind.
    """
    name = text(value, "model")
    yield Recorded(
        probe=probe(value),
        response=said(value),
        model=model(name),
        kernel=None if name else UNRECORDED,
        seconds=number(value, "elapsed_seconds") or 0.0,
    )
