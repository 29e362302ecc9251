"""A model's files on this machine: whether they are whole, where they lie, what names them."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from streams.errors import ModelError


def folder_of(url: str, place: str) -> Path:
    """The folder that holds a whole model; a repository is fetched where the cache lacks it.

    Raises:
        ModelError: It is not whole, or the hub gives no copy.
    """
    folder = _own_folder(place) or _snapshot(url, place)
    _refuse_incomplete(url, folder)
    return folder


def stop_tokens(folder: Path) -> set[int]:
    """Collect the ids that end an answer; of two files mlx_lm reads only the second."""
    found = set[int]()
    for name in ("config.json", "generation_config.json"):
        if (folder / name).exists():
            config = json.loads((folder / name).read_bytes())
            for part in (config, config.get("text_config") or {}):
                ids = part.get("eos_token_id", ())
                found.update([ids] if isinstance(ids, int) else ids or ())
    return found


def check_place(place: str) -> None:
    """Refuse a folder that holds no whole model; a repository's name is taken on trust.

    Raises:
        ModelError: Something is missing; the message says what.
    """
    if folder := _own_folder(place):
        _refuse_incomplete(f"mlx:{place}", folder)


def complaint(folder: Path) -> str | None:
    """Say what a model's folder lacks, or nothing where it is whole."""
    if not folder.is_dir():
        return "no folder"
    if not (folder / "config.json").exists():
        return "no config.json"
    if not any((folder / f"tokenizer.{kind}").exists() for kind in ("json", "model")):
        return "no tokenizer (tokenizer.json or tokenizer.model)"
    if not any(folder.glob("model*.safetensors")):
        return "no weights (model*.safetensors)"
    try:
        if "model_type" not in dict(json.loads((folder / "config.json").read_bytes())):
            return 'no "model_type" in its config.json'
        return _missing_shard(folder / "model.safetensors.index.json")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return f"no settings that can be read ({error})"


def _missing_shard(index: Path) -> str | None:
    names = json.loads(index.read_bytes())["weight_map"].values() if index.exists() else ()
    missing = (name for name in sorted(set(names)) if not (index.parent / name).exists())
    return next((f"no {name}, which {index.name} names" for name in missing), None)


def _refuse_incomplete(url: str, folder: Path) -> None:
    if problem := complaint(folder):
        raise ModelError(
            f"Model {url} has {problem}; it is looked for in {folder}. Get its files anew, or "
            f"name another folder: --model mlx:FOLDER."
        )


def _own_folder(place: str) -> Path | None:
    """Return the folder that `place` means, or nothing where it is a repository's name."""
    folder = Path(place).expanduser()
    is_name = re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", place) is not None
    return None if is_name and not folder.exists() else folder


def _snapshot(url: str, repository: str) -> Path:
    """Find a repository in the hub's cache, or have the hub send it."""
    from huggingface_hub import snapshot_download
    from mlx_lm.utils import DEFAULT_ALLOW_PATTERNS as PATTERNS

    with suppress(OSError, ValueError):  # it may be in the cache, and whole
        folder = Path(snapshot_download(repository, allow_patterns=PATTERNS, local_files_only=True))
        if complaint(folder) is None:
            return folder
    try:
        return Path(snapshot_download(repository, allow_patterns=PATTERNS))
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"Model {url} is not on this machine and the hub gives no copy ({reason}); download "
            f"it first, or name a folder: --model mlx:FOLDER."
        ) from error


def revision(folder: Path) -> str:
    """Name what answers: the commit in the hub's cache, else a digest of the folder.

    The digest covers settings, template and tokenizer whole, and of the weights each file's
    header and the first 64 KiB of each tensor: quick even for 14 GB. Training, merging and
    quantizing change those bytes; a change to nothing but the rest of a tensor goes unseen.
    """
    if folder.parent.name == "snapshots" and re.fullmatch("[0-9a-f]{40}", folder.name):
        return folder.name
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".json", ".jinja", ".model", ".safetensors"):
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            for part in _samples(file) if file.suffix == ".safetensors" else [file.read_bytes()]:
                digest.update(part)
    return digest.hexdigest()


def _samples(file: Path) -> Iterator[bytes]:
    """Yield a safetensors header, then the beginning of each tensor in the header's order."""
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header = stream.read(size)
        yield header
        for name, tensor in json.loads(header).items():
            if name != "__metadata__":
                start, end = tensor["data_offsets"]
                stream.seek(8 + size + start)
                yield stream.read(min(end - start, 2**16))
