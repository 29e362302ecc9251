"""Models on this machine, run by MLX: a folder, or a repository that the hub's cache holds.

Each model lives in a thread of its own, whoever asks. MLX ties arrays and compiled functions to
the thread that made them, and ends the whole process with `terminate called` when such a thread
goes before its streams were cleared; `close` clears them, at the latest when Python exits.

Limits: one answer at a time; a seed makes it repeatable on one chip and one release of MLX only.
"""

import atexit
import hashlib
import json
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from agents.models import Answer, Ask, control_tokens
from schemas.generation import SystemRole
from schemas.request import Sampling
from streams.errors import ModelError


class _Loaded(NamedTuple):
    model: Any
    tokenizer: Any
    revision: str
    control: frozenset[str]


class MlxModel:
    """A model whose weights are in memory."""

    def __init__(self, place: str) -> None:
        self.url = f"mlx:{place}"
        self._loaded: _Loaded | None = None
        self._jobs = queue.SimpleQueue[tuple[Callable[[], Any], "Future[Any]"] | None]()
        self._closing = False
        self._door = threading.Lock()  # no job may queue up behind the last one
        self._thread = threading.Thread(target=self._work, name=self.url, daemon=True)
        self._thread.start()
        atexit.register(self.close)
        try:
            self._loaded = self._run(lambda: _load(self.url, place))
        except BaseException:
            self.close()
            raise

    def answer(self, ask: Ask) -> Answer:
        """Answer; others who ask meanwhile wait for their turn.

        Raises:
            ModelError: The model was closed, or MLX can't run it.
        """
        from jinja2 import TemplateError

        try:
            answer: Answer = self._run(lambda: self._answer(ask))
        except (ValueError, RuntimeError, TemplateError) as error:
            raise ModelError(
                f"Model {self.url} can't answer: {error}; see that it is a chat model and fits "
                f"into memory."
            ) from error
        return answer

    def close(self) -> None:
        """Free the weights; an answer under way breaks off at its next token."""
        atexit.unregister(self.close)
        with self._door:
            self._closing = True
            self._jobs.put(None)
        self._thread.join()

    def _run(self, job: Callable[[], Any]) -> Any:
        future: Future[Any] = Future()
        with self._door:
            self._stay_open()
            self._jobs.put((job, future))
        return future.result()

    def _stay_open(self) -> None:
        if self._closing:
            raise ModelError(f"Model {self.url} was closed; open it again.")

    def _work(self) -> None:
        """Do jobs until there is a None, then give back what MLX made for this thread."""
        for job, future in iter(self._jobs.get, None):
            try:
                future.set_result(job())
            except BaseException as error:  # whoever asked gets it
                future.set_exception(error)
        self._loaded = None
        import mlx.core as mx

        mx.clear_streams()

    def _answer(self, ask: Ask) -> Answer:
        import mlx.core as mx

        assert self._loaded is not None
        model, tokenizer, digest, control = self._loaded
        prompt, role = _prompt(tokenizer, ask)
        # The template has written the BOS token; the tokenizer would add a second one.
        tokens = tokenizer.encode(prompt, add_special_tokens=False)
        # MLX draws from a state of this thread alone.
        mx.random.seed(ask.seed)
        began = time.perf_counter()
        first, text = began, ""
        piece: Any = None
        for piece in _pieces(model, tokenizer, tokens, ask.sampling):
            self._stay_open()
            first = time.perf_counter() if first == began else first
            text += piece.text
        return Answer(
            text=text,
            finish_reason=piece.finish_reason,
            system_role=role,
            revision=digest,
            prompt_tokens=len(tokens),
            completion_tokens=piece.generation_tokens,
            prefill_s=first - began,
            decode_s=time.perf_counter() - first,
            control_tokens=control_tokens(text, control),
        )


def _pieces(model: Any, tokenizer: Any, tokens: list[int], drawn: Sampling) -> Iterator[Any]:
    from mlx_lm import stream_generate
    from mlx_lm.sample_utils import make_sampler

    # All tokens or more are no limit, but MLX refuses them.
    top_k = drawn.top_k if drawn.top_k < len(tokenizer) else 0
    sampler = make_sampler(drawn.temperature, drawn.top_p, drawn.min_p, top_k=top_k)
    yield from stream_generate(
        model, tokenizer, tokens, max_tokens=drawn.max_tokens, sampler=sampler
    )


def _prompt(tokenizer: Any, ask: Ask) -> tuple[str, SystemRole]:
    """Render the chat template, which is the whole prompt.

    Where it refuses a system message, or leaves it out, the kernel stands before the prompt.
    """
    from jinja2 import TemplateError

    def render(*turns: tuple[str, str]) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        template = tokenizer.apply_chat_template
        return str(template(messages, tokenize=False, add_generation_prompt=True))

    if not ask.system:
        return render(("user", ask.prompt)), "none"
    try:
        text = render(("system", ask.system), ("user", ask.prompt))
    except TemplateError:
        text = ""
    if ask.system.strip() in text:
        return text, "system"
    return render(("user", f"{ask.system}\n\n{ask.prompt}")), "merged"


def _load(url: str, place: str) -> _Loaded:
    folder = _own_folder(place) or _snapshot(url, place)
    _refuse_incomplete(url, folder)
    try:
        from mlx_lm import load

        model, tokenizer = load(str(folder))[:2]
        tokenizer.eos_token_ids = tokenizer.eos_token_ids | _stop_tokens(folder)
        added = tokenizer.added_tokens_decoder.values()
        control = frozenset(token.content for token in added if token.special)
        loaded = _Loaded(model, tokenizer, revision(folder), control)
    except Exception as error:  # mlx_lm and transformers raise whatever a broken file leads to
        raise ModelError(
            f"Model {url} can't be loaded: {type(error).__name__}: {error}; its files are in "
            f"{folder}, get them anew or name another folder: --model mlx:FOLDER."
        ) from error
    if not tokenizer.has_chat_template:
        raise ModelError(
            f"Model {url} has no chat template; take its instruction-tuned sister, or put a "
            f"chat_template.jinja into {folder}."
        )
    return loaded


def _stop_tokens(folder: Path) -> set[int]:
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
