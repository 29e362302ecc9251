"""Models on this machine, run by MLX: a folder, or a repository that the hub's cache holds.

Each model lives in a thread of its own, whoever asks, and answers many asks at once. MLX ties
arrays and compiled functions to the thread that made them, and ends the whole process with
`terminate called` when such a thread goes before its streams were cleared; `close` clears them, at
the latest when Python exits.

A seed makes an answer repeatable on one chip and one release of MLX only.
"""

import atexit
import gc
import queue
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import Any, NamedTuple

from agents.models import Answer, Ask, Model, control_tokens, reasoned
from agents.models.batch import Engine, Job, Written
from agents.models.files import folder_of, revision, stop_tokens
from agents.models.memory import cache_bytes
from agents.models.pace import Pace
from agents.models.prefixes import Prefixes
from agents.models.prompts import Prompt, Prompts
from streams.errors import ModelError

MOST_ROWS = 64
"""Answers at once, whatever is measured."""


class _Loaded(NamedTuple):
    tokenizer: Any
    revision: str
    control: frozenset[str]
    prompts: Prompts
    engine: Engine


class _Asked(NamedTuple):
    ask: Ask
    future: "Future[Answer]"


class MlxModel(Model):
    """A model whose weights are in memory."""

    def __init__(self, place: str, *, most_bytes: int = 0, most_rows: int = MOST_ROWS) -> None:
        """Load it.

        Args:
            place: A folder, or a repository's name.
            most_bytes: For the caches of all prefixes and rows; 0 is what suits the machine.
            most_rows: Answers at once.

        Raises:
            ModelError: It can't be loaded.
        """
        self.url = f"mlx:{place}"
        self._place, self._most_bytes = place, most_bytes
        self._asked = queue.SimpleQueue[_Asked | None]()
        self._waiting: deque[tuple[Job, Future[Answer]]] = deque()
        self._writing: set[Future[Answer]] = set()
        self._pace = Pace(most_rows)
        self._closing = False
        self._door = threading.Lock()  # no ask may queue up behind the last one
        ready: Future[_Loaded] = Future()
        self._thread = threading.Thread(
            target=self._work, args=(ready,), name=self.url, daemon=True
        )
        self._thread.start()
        atexit.register(self.close)
        try:
            ready.result()
        except BaseException:
            self.close()
            raise

    @property
    def room(self) -> int:
        """Twice the rows that are decoded at once: those behind them can be grouped."""
        return 2 * self._pace.size

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Answer beside others; the company makes no difference to the answer."""
        asked = _Asked(ask, Future())
        with self._door:
            if self._closing:
                raise ModelError(f"Model {self.url} was closed; open it again.")
            self._asked.put(asked)
        return asked.future

    def close(self) -> None:
        """Free the weights; answers under way break off at their next token."""
        atexit.unregister(self.close)
        with self._door:
            self._closing = True
            self._asked.put(None)
        self._thread.join()

    def _work(self, ready: "Future[_Loaded]") -> None:
        """Load, answer until closed, then give back what MLX made for this thread."""
        import mlx.core as mx

        try:
            loaded = _load(self.url, self._place, self._most_bytes)
            ready.set_result(loaded)
            self._answer(loaded)
            loaded.engine.drop()  # its rows' jobs know it, so that none would go by itself
            del loaded
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
        finally:
            with self._door:
                self._closing = True
            self._fail(ModelError(f"Model {self.url} was closed; open it again."))
            ready = Future()
            gc.collect()  # what is left in circles is this thread's to free
            mx.clear_streams()

    def _answer(self, loaded: _Loaded) -> None:
        while self._take(loaded):
            self._admit(loaded.engine)
            try:
                rows, began = len(loaded.engine), time.perf_counter()
                if rows:
                    loaded.engine.step()
                    self._pace.told(rows, time.perf_counter() - began)
            except Exception as error:  # MLX: out of memory, an odd model
                loaded.engine.drop()
                _refuse(self._writing, _refused(self.url, error))

    def _take(self, loaded: _Loaded) -> bool:
        """Take what was asked meanwhile, and wait for it where nothing else is to do."""
        idle = not loaded.engine and not self._waiting
        while not self._closing:
            try:
                asked = self._asked.get(block=idle)
            except queue.Empty:
                return True
            if asked is None:
                return False
            idle = False
            self._prepare(loaded, *asked)
        return False

    def _prepare(self, loaded: _Loaded, ask: Ask, future: "Future[Answer]") -> None:
        try:
            prompt = loaded.prompts.of(ask)
        except Exception as error:  # whatever a template or a tokenizer leads to
            future.set_exception(_refused(self.url, error))
            return

        def done(written: Written) -> None:
            self._writing.discard(future)
            try:
                future.set_result(_told(loaded, prompt, written))
            except Exception as error:
                future.set_exception(_refused(self.url, error))

        job = Job(prompt.tokens, prompt.shared, ask.sampling, ask.seed, done)
        self._waiting.append((job, future))

    def _admit(self, engine: Engine) -> None:
        """Let in those that begin alike, the one that has waited longest among them."""
        free = engine.room(self._pace.size, [job for job, _ in self._waiting])
        if not free:
            return
        first = self._waiting[0][0]
        alike = first.tokens[: first.shared]
        alikes = [each for each in self._waiting if each[0].tokens[: each[0].shared] == alike]
        chosen = alikes[:free]
        self._waiting = deque(each for each in self._waiting if each not in chosen)
        futures = {future for _, future in chosen}
        try:
            engine.admit([job for job, _ in chosen])
        except Exception as error:  # those that are being written go on
            _refuse(futures, _refused(self.url, error))
        else:
            self._writing |= {future for future in futures if not future.done()}

    def _fail(self, error: BaseException) -> None:
        _refuse(self._writing, error)
        _refuse({future for _, future in self._waiting}, error)
        self._waiting.clear()
        while self._closing and not self._asked.empty():
            if asked := self._asked.get():
                asked.future.set_exception(error)


def _told(loaded: _Loaded, prompt: Prompt, written: Written) -> Answer:
    words = loaded.tokenizer.detokenizer
    words.reset()
    for token in written.tokens:
        words.add_token(token)
    words.finalize()
    thought, said = reasoned(words.text, inside=prompt.thinks)
    return Answer(
        text=said,
        reasoning=thought,
        finish_reason=written.reason,
        system_role=prompt.role,
        revision=loaded.revision,
        prompt_tokens=len(prompt.tokens),
        saved_tokens=written.saved,
        completion_tokens=written.written,
        prefill_s=written.prefill_s,
        decode_s=written.decode_s,
        control_tokens=control_tokens(said, loaded.control),
    )


def _refuse_alone(model: Any) -> None:
    """Refuse what mlx_lm can't put into a batch."""
    from mlx_lm.models.cache import make_prompt_cache

    kinds = {type(each).__name__ for each in make_prompt_cache(model) if not hasattr(each, "merge")}
    if kinds:
        raise ValueError(f"its caches ({', '.join(sorted(kinds))}) can't share a batch")


def _load(url: str, place: str, most_bytes: int) -> _Loaded:
    folder = folder_of(url, place)
    try:
        from mlx_lm import load

        model, tokenizer = load(str(folder))[:2]
        _refuse_alone(model)
        tokenizer.eos_token_ids = tokenizer.eos_token_ids | stop_tokens(folder)
        added = tokenizer.added_tokens_decoder.values()
        control = frozenset(token.content for token in added if token.special)
        engine = Engine(
            model,
            frozenset(tokenizer.eos_token_ids),
            Prefixes(),
            most_bytes or cache_bytes(model),
        )
        loaded = _Loaded(tokenizer, revision(folder), control, Prompts(tokenizer), engine)
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


def _refuse(futures: "set[Future[Answer]]", error: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
    futures.clear()


def _refused(url: str, error: Exception) -> ModelError:
    found = ModelError(
        f"Model {url} can't answer: {error}; see that it is a chat model and fits into memory."
    )
    found.__cause__ = error.with_traceback(None)  # its frames hold arrays of the model's thread
    return found
