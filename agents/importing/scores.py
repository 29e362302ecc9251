"""Score files: numbers of judges and benchmarks, for responses that stand in other files.

Each number keeps a scorer of its own, as `recorded@truthfulqa-informativeness`: what is read from
a mean of several is for a view to say.
"""

from collections.abc import Iterator
from typing import Any

from agents.importing.probes import identifier
from agents.importing.rows import finite, mapping, text
from agents.importing.told import About, LooseScore, Score, Told, model

_ALONE = ("correct", "passed")


def read(value: dict[str, Any], about: About) -> Iterator[Told]:
    """Every score of a row.

    Raises:
        BadRow: It has a value that is none of its kind.
    """
    if "per_prompt" in value:
        yield from _per_prompt(mapping(value, "per_prompt"))
    elif "probes" in value:
        yield from _checkpoint(value)
    else:
        yield from _nested(mapping(value, "scores"), (about.stem,))


def _nested(found: dict[str, Any], path: tuple[str, ...]) -> Iterator[LooseScore]:
    """Scores under benchmark (where there is one), model and probe."""
    for key, value in found.items():
        if not isinstance(value, dict):
            continue
        if value and all(isinstance(each, dict) for each in value.values()):
            yield from _nested(value, (*path, key))
        elif len(path) > 1:
            for score in _scores(path[-2], value):
                yield LooseScore(probe=key, model=model(path[-1]), score=score)


def _per_prompt(found: dict[str, Any]) -> Iterator[LooseScore]:
    for name, rows in found.items():
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict) or (probe := identifier(row)) is None:
                continue
            for suite, values in row.items():
                for score in _scores(suite, values):
                    yield LooseScore(probe=probe, model=model(name), score=score)


def _checkpoint(value: dict[str, Any]) -> Iterator[LooseScore]:
    """The probes of one checkpoint, which the label names."""
    for probe, told in mapping(value, "probes").items():
        content = told.get("scores") if isinstance(told, dict) else None
        suite, values = ("content", content) if content else ("capability", told)
        for score in _scores(suite, values):
            yield LooseScore(probe=probe, model=model(text(value, "label")), score=score)


def _scores(suite: str, values: Any) -> Iterator[Score]:
    numbers = values.items() if isinstance(values, dict) else ()
    found = {name: each for name, told in numbers if (each := finite(told)) is not None}
    if "lek_score" in found:
        whole = found.pop("lek_score")
        yield Score(scorer=f"recorded@{suite}", score=whole, signals=found)
        return
    for name, value in found.items():
        scorer = f"recorded@{suite}" if name in _ALONE else f"recorded@{suite}-{name}"
        yield Score(scorer=scorer, score=value)
