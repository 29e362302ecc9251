"""A dataset held against its log: derived again as of its manifest, and compared file by file.

Told apart are a file that was changed, a log that gives something else, and a library that writes
the same rows in other bytes.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import msgspec

from agents.dataset.folder import MANIFEST, scratch
from agents.dataset.recipe import Recipe, recipe, then
from agents.materialize import derived
from schemas import File, Materialized
from streams import ids
from streams.log.door import Store

State = Literal["as made", "same rows", "changed", "missing", "other log"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file."""

    file: str
    """Relative to the folder."""

    state: State
    """`same rows`: another version of a library writes them otherwise; `changed` and `missing`:
    on the disk; `other log`: the log gives something else than what was made."""

    row: int | None = None
    """The first row that differs, from 1; none where it can't be told."""

    said: str
    """A sentence for a person."""

    @property
    def is_sound(self) -> bool:
        """Whether the rows are what the manifest says."""
        return self.state in ("as made", "same rows")


def verified(store: Store, home: Path, told: Materialized, folder: Path | None) -> list[Finding]:
    """What became of each file of a dataset, and of its manifest.

    Args:
        store: The log.
        home: Where its columns are.
        told: The manifest.
        folder: Where the files are; none where only the log is asked.

    Raises:
        ConfigError: The manifest has no recipe that this lem can follow.
        LogError: The log does not reach so far.
    """
    with scratch(home / "datasets") as fresh:
        made = derived(store, home, then(told), fresh)
        again = {file.name: file for file in (*made.files, *made.copies)}
        files = (*told.files, *told.copies)
        found = [_file(file, again.get(file.name), fresh, folder) for file in files]
        found = [_excused(each, told, made, fresh, folder) for each in found]
    return [*found, *_manifest(told, made)]


def _file(file: File, again: File | None, fresh: Path, folder: Path | None) -> Finding:
    is_derived = again is not None and again.sha256 == file.sha256
    if folder and (state := _on_disk(file, folder)):
        row = _differs(folder / file.name, fresh / file.name) if is_derived else None
        more = "" if is_derived else " The log gives something else too."
        return Finding(file=file.name, state=state, row=row, said=_SAID[state] + more)
    if is_derived:
        return Finding(file=file.name, state="as made", said=_SAID["as made"])
    row = _differs(folder / file.name, fresh / file.name) if folder and again else None
    return Finding(file=file.name, state="other log", row=row, said=_SAID["other log"])


_SAID: dict[State, str] = {
    "as made": "The log gives these bytes.",
    "same rows": "The log gives these rows; another version of the library writes other bytes.",
    "changed": "The file was changed after it was made.",
    "missing": "The file is not there.",
    "other log": "The log gives something else than what was made.",
}


def _on_disk(file: File, folder: Path) -> State | None:
    """What is wrong with a file on the disk, by its manifest."""
    try:
        digest = ids.of_file(folder / file.name)
    except OSError:
        return "missing"
    return None if digest == file.sha256 else "changed"


def _excused(
    found: Finding, told: Materialized, made: Materialized, fresh: Path, folder: Path | None
) -> Finding:
    """Where only the library differs that wrote a Parquet file, its rows count."""
    is_other = recipe(told).writer != recipe(made).writer
    if not (is_other and found.state == "other log" and found.file.endswith(".parquet")):
        return found
    if told.files == made.files and (not folder or found.row is None):
        return msgspec.structs.replace(found, state="same rows", said=_SAID["same rows"])
    return found


def _manifest(told: Materialized, made: Materialized) -> Iterator[Finding]:
    """Whether what the manifest says beside the files' hashes is so."""
    if ids.of(told) != told.id:
        said = "Its id does not follow from what it says: it was changed after it was made."
        yield Finding(file=MANIFEST, state="changed", said=said)
        return
    names = ("phase", "policy", "scorer", "positions", "generations", "checks", "refused")
    wrong = [name for name in names if getattr(told, name) != getattr(made, name)]
    if _rest(recipe(told)) != _rest(recipe(made)):
        wrong.append("recipe")
    if wrong:
        said = f"The log gives other values for {', '.join(wrong)}."
        yield Finding(file=MANIFEST, state="other log", said=said)
    else:
        yield Finding(file=MANIFEST, state="as made", said="The log gives what it says.")


def _rest(made_by: Recipe) -> Recipe:
    return msgspec.structs.replace(made_by, writer="")


def _differs(one: Path, other: Path) -> int | None:
    """The first row, or line, in which two files differ, from 1."""
    try:
        pairs = zip_longest(_rows(one), _rows(other))
        return next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), None)
    except (OSError, ValueError):  # not even readable: Arrow's errors are of these kinds
        return None


def _rows(path: Path) -> Iterator[object]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=512):
                yield from batch.to_pylist()
    else:
        with path.open("rb") as lines:
            yield from lines
