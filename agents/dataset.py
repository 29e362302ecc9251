"""A dataset's files: rows as chat JSONL, split by original probe, counted and hashed.

Written into a folder beside the target and moved there whole: who reads the target never sees
half a dataset. Knows files, not the log.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import msgspec

from agents.rules import split_of
from schemas import File, Materialized
from streams.curriculum import Split
from streams.errors import LogError

_NAMES = ("train.jsonl", "valid.jsonl", "test.jsonl")
MANIFEST = "manifest.json"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that a phase admits."""

    generation: str
    run: str
    probe: str
    original: str
    prompt: str
    response: str


def line(row: Row) -> bytes:
    """The row as `mlx_lm.lora` reads it; it passes over the keys that say where it comes from.

    There is never a `prompt` beside `messages`: mlx_lm would then take the row for another kind.
    """
    content = {
        "messages": [
            {"role": "user", "content": row.prompt},
            {"role": "assistant", "content": row.response.strip()},
        ],
        "generation": row.generation,
        "probe": row.probe,
    }
    return msgspec.json.encode(content) + b"\n"


def write(rows: Iterable[Row], split: Split, folder: Path) -> tuple[tuple[File, ...], list[str]]:
    """Write the splits, row by row; what was written, and the generations in the rows' order."""
    generations: list[str] = []
    with ExitStack() as stack:
        parts = {name: _Part(stack.enter_context((folder / name).open("wb"))) for name in _NAMES}
        for row in rows:
            name = split_of(row.original, train=split.train, valid=split.valid)
            parts[f"{name}.jsonl"].add(line(row))
            generations.append(row.generation)
        files = tuple(part.done(name) for name, part in sorted(parts.items()))
    return files, generations


def manifest(materialized: Materialized) -> bytes:
    """The manifest as a file: without time and writer, so that the same dataset has the same."""
    fields = msgspec.to_builtins(materialized)
    for name in ("at", "by", "run", "cause"):
        del fields[name]
    return msgspec.json.format(msgspec.json.encode(fields, order="deterministic"), indent=1) + b"\n"


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """A folder to write into, gone afterwards unless it was moved.

    Raises:
        LogError: It can't be made or written: no room, no right to write there.
    """
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=beside, prefix=".new-") as folder:
            yield Path(folder)
    except OSError as error:
        raise LogError(
            f"{beside}: can't write the dataset: {error}. The log is as it was; make room there,"
            " or name another folder with --out."
        ) from error


def publish(folder: Path, target: Path) -> None:
    """Put the finished files in place; what stands there under other names is left alone."""
    if not target.exists() and _moved(folder, target):
        return
    # The manifest goes last: with it, all that it names is there.
    for name in (*_NAMES, MANIFEST):
        (folder / name).replace(target / name)


def _moved(folder: Path, target: Path) -> bool:
    """Whether the folder is the target now; not so where another process was quicker."""
    landing = folder.with_name(f"{folder.name}-done")
    try:
        shutil.copytree(folder, landing)
        landing.chmod(0o755)  # a temporary folder is its owner's alone
        landing.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        return False
    finally:
        shutil.rmtree(landing, ignore_errors=True)
    return True


class _Part:
    """A file under way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._rows = 0
        self._sha256 = hashlib.sha256()

    def add(self, row: bytes) -> None:
        self._file.write(row)
        self._sha256.update(row)
        self._rows += 1

    def done(self, name: str) -> File:
        self._file.flush()
        os.fsync(self._file.fileno())
        return File(name=name, rows=self._rows, sha256=self._sha256.hexdigest())
