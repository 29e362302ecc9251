"""Distillation output: each line a response that was kept, with what is known of it beside.

Whether there was a kernel is not recorded. Nucleus sampling at 0.95 was the tool's own.
"""

from collections.abc import Iterator
from typing import Any

from agents.importing.chat import exchange
from agents.importing.probes import probe
from agents.importing.rows import BadRow, mapping, number, text
from agents.importing.told import UNRECORDED, About, Recorded, Score, Told, model
from schemas import Sampling

SCORER = "recorded@distil"


def read(value: dict[str, Any], about: About) -> Iterator[Told]:
    """The response of a line; nothing for a summary.

    Raises:
        BadRow: It has no exchange, or a value that is none of its kind.
    """
    if "training" not in value:
        return
    meta = mapping(value, "meta")
    asked, response, system = exchange(mapping(value, "training"))
    score = number(meta, "lek_score")
    name = text(meta, "model") or text(about.summary, "model") or f"unknown/{about.stem}"
    yield Recorded(
        probe=probe(meta | {"id": meta.get("probe_id")}, prompt=asked),
        response=response,
        model=model(name),
        kernel=system or UNRECORDED,
        sampling=_sampling(meta, about),
        sample=_sample(meta),
        seconds=number(meta, "time_s") or 0.0,
        scores=() if score is None else (Score(scorer=SCORER, score=score),),
    )


def _sampling(meta: dict[str, Any], about: About) -> Sampling:
    drawn = number(meta, "temperature")
    drawn = number(about.summary, "temperature") if drawn is None else drawn
    return Sampling() if drawn is None else Sampling(temperature=drawn)


def _sample(meta: dict[str, Any]) -> int:
    sample = number(meta, "sample_idx") or 0.0
    if not (0 <= sample < 2**31 and sample.is_integer()):
        raise BadRow(f'has a "sample_idx" that counts nothing: {sample}')
    return int(sample)
