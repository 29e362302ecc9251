"""A/B results: each line one probe, answered under several conditions; a summary at the end.

Which model answered stands in the summary alone. Sampling was greedy: the tool knew no other.
"""

from collections.abc import Iterator
from typing import Any

from agents.importing.probes import probe
from agents.importing.rows import BadRow, finite, mapping, number, said, text
from agents.importing.told import About, Recorded, Score, Told, kernel, model
from schemas import Sampling

SCORER = "recorded@1"
_PLAIN = "baseline"


def read(value: dict[str, Any], about: About) -> Iterator[Told]:
    """A response for each condition; nothing for a summary.

    Raises:
        BadRow: A condition has no response, or a value that is none of its kind.
    """
    if value.get("type") == "summary":
        return
    asked = probe(value)
    for name, told in mapping(value, "conditions").items():
        if not isinstance(told, dict) or "response" not in told:
            raise BadRow(f'has a condition "{name}" without a response')
        yield Recorded(
            probe=asked,
            response=said(told),
            model=model(text(about.summary, "model") or f"unknown/{about.stem}"),
            kernel=None if name == _PLAIN else kernel(name),
            sampling=_sampling(about),
            seconds=number(told, "time_s") or 0.0,
            scores=_scores(told),
        )


def _sampling(about: About) -> Sampling:
    most = number(about.summary, "max_tokens") or Sampling().max_tokens
    return Sampling(temperature=0.0, top_p=1.0, max_tokens=int(most))


def _scores(told: dict[str, Any]) -> tuple[Score, ...]:
    score = number(told, "lek_score")
    counted = told.get("heuristic")
    counters = counted.items() if isinstance(counted, dict) else ()
    signals = {
        name: found
        for name, value in counters
        if name != "lek_score" and (found := finite(value)) is not None
    }
    return () if score is None else (Score(scorer=SCORER, score=score, signals=signals),)
