"""Whether `mlx_lm.lora` takes a dataset with a phase's settings, before anyone waits for it.

What it does was read in its source: the kind of a file is decided by its first row, unknown keys
are passed over, a split smaller than the batch is refused, what is left over of a batch is dropped,
and rows that are too long are cut. A file without rows stops it too, whichever it is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from agents.dataset.files import JSONL
from streams.curriculum import Training
from streams.errors import ConfigError

_OTHER_KINDS = ("prompt", "completion", "text", "tools")
"""Keys that mean something to mlx_lm beside `messages`."""

_TOKEN = 4  # characters, about, of English; every model has its own tokenizer


def examined(folder: Path, training: Training) -> list[str]:
    """What whoever trains on it should know.

    Args:
        folder: The dataset's.
        training: The phase's settings.

    Raises:
        ConfigError: mlx_lm.lora would refuse it, or take it for something else; every reason is
            told.
    """
    faults: list[str] = []
    warnings: list[str] = []
    for split in ("train", "valid", "test"):
        name = JSONL[split]
        rows, long = 0, 0
        keys: set[str] | None = None
        for rows, row in enumerate(_rows(folder / name), start=1):
            keys = keys or set(row)
            if fault := _fault(row, keys):
                faults.append(f"{name}, row {rows}: {fault}")
                break
            long += sum(len(each["content"]) for each in row["messages"]) // _TOKEN > (
                training.max_seq_length
            )
        warnings += _about(name, rows, long, training)
        (faults if _is_refused(split, rows, training) else warnings).extend(
            _size(split, rows, training)
        )
    if faults:
        raise ConfigError(f"mlx_lm.lora would not take it. {' '.join(faults)} No dataset was made.")
    return warnings


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from map(msgspec.json.decode, file)


def _fault(row: dict[str, Any], keys: set[str]) -> str | None:
    """Why mlx_lm would take the row for another kind, or learn from the wrong turn."""
    if set(row) != keys or "messages" not in keys:
        return f"its keys are {', '.join(sorted(row))}, not those of the rows before."
    if other := [name for name in _OTHER_KINDS if name in row]:
        return f'beside `messages` mlx_lm reads "{other[0]}"; no row may have that key.'
    turns = [each["role"] for each in row["messages"]]
    if turns != ["user", "assistant"] * (len(turns) // 2) or not turns:
        return f"its turns are {', '.join(turns)}; user and assistant should alternate."
    if not row["messages"][-1]["content"]:
        return "the assistant says nothing in it, so there is nothing to learn."
    return None


def _is_refused(split: str, rows: int, training: Training) -> bool:
    """Whether training stops for it; a test that is too small only stops `--test`."""
    return rows == 0 or (split != "test" and rows < training.batch_size)


def _size(split: str, rows: int, training: Training) -> list[str]:
    batch = training.batch_size
    if rows >= batch:
        return []
    what = {"train": "training fails", "valid": "validation fails", "test": "`--test` fails"}
    said = what[split] if rows else "mlx_lm stops at a file without a row"
    return [
        f"{JSONL[split]} has {rows} rows, and the batch {batch}: {said}. More probes, or a larger"
        " share in the phase's `split`, would help."
    ]


def _about(name: str, rows: int, long: int, training: Training) -> Iterator[str]:
    if rows > training.batch_size and (left := rows % training.batch_size):
        yield f"{name}: {left} of {rows} rows are left out in each pass, since batches are whole."
    if long:
        yield (
            f"{name}: about {long} of {rows} rows have more than {training.max_seq_length} tokens"
            f" (at {_TOKEN} characters each) and are cut there; see `max_seq_length`."
        )
