"""A dataset's folder: made beside its place and moved there whole, and its manifest read again.

A folder with a manifest holds the whole dataset; what is half in place has none.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from schemas import Materialized
from streams.errors import ConfigError, LogError

MANIFEST = "manifest.json"

_PASSING = ("at", "by", "run", "cause")
"""What differs each time that the same dataset is made."""


def manifest(made: Materialized) -> bytes:
    """The manifest as a file: the recipe as data, without what differs from time to time."""
    fields = msgspec.to_builtins(made)
    for name in _PASSING:
        del fields[name]
    fields["recipe"] = msgspec.json.decode(made.recipe) if made.recipe else None
    return msgspec.json.format(msgspec.json.encode(fields, order="deterministic"), indent=1) + b"\n"


def read(path: Path) -> Materialized:
    """The manifest in this file or folder; it does not say when it was made, or by whom.

    Raises:
        ConfigError: There is none, or it is no manifest.
    """
    file = path / MANIFEST if path.is_dir() else path
    try:
        fields = msgspec.json.decode(file.read_bytes())
        if fields.get("recipe") is not None:
            encoded = msgspec.json.encode(fields["recipe"], order="deterministic")
            fields["recipe"] = encoded.decode()
        passing = {"at": datetime.fromtimestamp(0, UTC), "by": ""}
        return msgspec.convert({**passing, **fields}, Materialized)
    except OSError as error:
        raise ConfigError(
            f"{path}: no manifest can be read there: {error.strerror}. Name the folder of a"
            " dataset, or the beginning of its id; `lem dataset list` shows them."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise ConfigError(f"{file} is no manifest of a dataset: {error}.") from error


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """A folder to write into, gone afterwards unless it was moved.

    Raises:
        LogError: It can't be made or written: no room, no right to write there.
    """
    try:
        beside.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=beside, prefix=".new-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise LogError(
            f"{beside}: can't write the dataset: {error}. The log is as it was; make room there,"
            " or name another folder with --out."
        ) from error


def emptied(folder: Path) -> None:
    """Take everything out of a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def publish(folder: Path, target: Path) -> None:
    """Put the finished files in place; what stands there under other names is left alone."""
    if not target.exists() and _moved(folder, target):
        return
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    # The old manifest goes first and the new one comes last: a crash between leaves none, rather
    # than one that names other files than those that stand there.
    (target / MANIFEST).unlink(missing_ok=True)
    for name in sorted(names, key=lambda name: name == MANIFEST):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).replace(target / name)


def _moved(folder: Path, target: Path) -> bool:
    """Whether the folder is the target now; not so where another process was quicker."""
    folder.chmod(0o755)  # a temporary folder is its owner's alone
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        return False
    return True
