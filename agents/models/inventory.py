"""The models that this machine has room for, and those that lie on it."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agents.models.files import complaint

GB = 10**9
_NEARLY = 0.9  # a machine of 8 GB tells a little less: its system keeps some for itself
_TIMES = 2  # the weights, and as much again for caches, the system and the pipeline


class Size(NamedTuple):
    """A model that the documents recommend, and from what memory on."""

    url: str
    parameters: str
    memory_gb: int


SIZES = (
    Size("mlx:mlx-community/gemma-3-1b-it-qat-4bit", "1B", 4),
    Size("mlx:mlx-community/gemma-3-4b-it-qat-4bit", "4B", 8),
    Size("mlx:mlx-community/gemma-3-12b-it-qat-4bit", "12B", 16),
    Size("mlx:mlx-community/gemma-3-27b-it-qat-4bit", "27B", 32),
)
"""The smallest first."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is known, or lies on this machine, or both."""

    model: str
    """Its URL."""

    parameters: str | None
    """How many it has, where that is known."""

    quantization: str | None
    """As `4-bit`, or the type of its weights; none where no settings can be read."""

    size_bytes: int | None
    """What lies on this machine; none where nothing does."""

    memory_bytes: int | None
    """What a machine should have for it; none where that is not known."""

    fits: bool | None
    """Whether this machine has that."""

    is_whole: bool
    """Whether it can be asked without a download."""

    lacks: str | None
    """What it lacks, where a part of it lies here."""


class _Lying(NamedTuple):
    """A folder with a model, or a part of one."""

    url: str
    folder: Path
    size: int


def machine_bytes() -> int:
    """The memory of this machine, whole: what is recommended speaks of that."""
    import mlx.core as mx

    if mx.metal.is_available():
        return int(mx.device_info()["memory_size"])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def inventory(folders: Iterable[Path], *, memory: int) -> list[Found]:
    """The recommended models, then whatever else lies in the hub's cache and in these folders.

    Args:
        folders: Each may hold models, one a folder.
        memory: Of the machine, in bytes.
    """
    lying = {each.url: each for each in (*_cached(), *_kept(folders))}
    found = [_found(lying.pop(size.url, None), size, memory) for size in SIZES]
    return found + [_found(each, None, memory) for _, each in sorted(lying.items())]


def _found(lying: _Lying | None, size: Size | None, memory: int) -> Found:
    lacks = complaint(lying.folder) if lying else None
    is_whole = lying is not None and lacks is None
    if size:
        needed: int | None = size.memory_gb * GB
    else:
        needed = _TIMES * lying.size if lying and is_whole else None
    return Found(
        model=size.url if size else lying.url if lying else "",
        parameters=size.parameters if size else None,
        quantization=_quantization(lying.folder) if lying else None,
        size_bytes=lying.size if lying else None,
        memory_bytes=needed,
        fits=None if needed is None else memory >= _NEARLY * needed,
        is_whole=is_whole,
        lacks=lacks,
    )


def _cached() -> Iterator[_Lying]:
    """The models of the hub's cache, each in the revision that would be opened."""
    from huggingface_hub import CacheNotFound, constants, scan_cache_dir

    with suppress(CacheNotFound):
        for repo in scan_cache_dir(constants.HF_HUB_CACHE).repos:
            used = max(
                repo.revisions,
                key=lambda one: ("main" in one.refs, one.last_modified),
                default=None,
            )
            if repo.repo_type == "model" and used:
                yield _Lying(f"mlx:{repo.repo_id}", used.snapshot_path, used.size_on_disk)


def _kept(folders: Iterable[Path]) -> Iterator[_Lying]:
    for place in folders:
        for folder in sorted(place.iterdir()) if place.is_dir() else ():
            if folder.is_dir() and not folder.name.startswith("."):
                files = [file for file in folder.rglob("*") if file.is_file()]
                yield _Lying(f"mlx:{folder}", folder, sum(file.stat().st_size for file in files))


def _quantization(folder: Path) -> str | None:
    try:
        config = dict(json.loads((folder / "config.json").read_bytes()))
    except (OSError, TypeError, ValueError):
        return None
    quantized: Any = config.get("quantization") or config.get("quantization_config")
    if isinstance(quantized, dict) and (bits := quantized.get("bits")):
        return f"{bits}-bit"
    own = config.get("dtype") or config.get("torch_dtype")
    return own if isinstance(own, str) else None
