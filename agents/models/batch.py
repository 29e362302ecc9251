"""Many answers at once: prompts that begin alike are read once, and rows are decoded together.

An `Engine` lives in one thread. What it holds for a row is the row's share of the batch's caches,
so its memory is bounded by the number of rows and of tokens in them.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from agents.models.loops import Loop
from agents.models.prefixes import Prefixes
from agents.models.sampling import Drawing, draw
from schemas.request import Sampling

_STEP = 2048  # tokens of a prompt that are read at once, as mlx_lm does
_WORTH = 4  # of a batch's size that part must be free before others come in
_PREFIXES = 2  # of the bytes that part is for prefixes
_CLEAR_EVERY = 256  # steps; MLX keeps buffers that no array uses any more


class Job(NamedTuple):
    """What one answer is made of."""

    tokens: list[int]
    """The whole prompt."""

    shared: int
    """So many of them, from the left, also stand before other prompts."""

    sampling: Sampling
    seed: int
    done: "Callable[[Written], None]"
    """Called once, in the engine's thread."""


class Written(NamedTuple):
    """A finished row."""

    tokens: list[int]
    """Without the one that ended it."""

    reason: str
    """`stop`, `length` or `loop`."""

    written: int
    """Tokens written, the one that ended the answer included."""

    saved: int
    """Tokens of the prompt that needed no reading, since they had been read for another."""

    prefill_s: float
    decode_s: float


class _Row:
    """An answer that is being written."""

    def __init__(self, job: Job, saved: int, began: float) -> None:
        self.job = job
        self.written: list[int] = []
        self.loop = Loop()
        self.saved = saved
        self.began = began
        self.first = 0.0

    def take(self, token: int, stops: frozenset[int], now: float) -> str | None:
        """Add a token; the reason where it is the last."""
        self.first = self.first or now
        if token in stops:
            return "stop"
        self.written.append(token)
        if len(self.written) >= self.job.sampling.max_tokens:
            return "length"
        return "loop" if self.loop.closes(token) else None

    def told(self, reason: str, now: float) -> Written:
        """What came of it."""
        ended = len(self.written) + (reason == "stop")
        return Written(
            self.written, reason, ended, self.saved, self.first - self.began, now - self.first
        )


class _Mean:
    """Of what was added, the newer the weightier."""

    def __init__(self) -> None:
        self.mean = 0.0

    def add(self, value: float) -> None:
        self.mean = 0.9 * self.mean + 0.1 * value if self.mean else value


class Engine:
    """Decodes every row of a batch by one token a step; rows come and go in between."""

    def __init__(
        self, model: Any, stops: frozenset[int], prefixes: Prefixes, most_bytes: int
    ) -> None:
        """Begin without a row.

        Args:
            model: Of mlx_lm.
            stops: Tokens that end an answer.
            prefixes: What has been read for several.
            most_bytes: For the caches of prefixes and rows together.
        """
        self._model = model
        self._most_bytes = most_bytes
        self._stops = stops
        self._prefixes = prefixes
        self._rows: list[_Row] = []
        self._cache: list[Any] = []
        self._next: Any = None
        self._steps = 0
        self._row_bytes = 0.0  # of the caches, for each token of a row
        self._lengths = _Mean()

    def __len__(self) -> int:
        """How many rows are being written."""
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """What the caches of all rows and of the prefixes hold."""
        rows: int = sum(each.nbytes for each in self._cache)
        return rows + self._prefixes.nbytes

    def room(self, size: int, waiting: Sequence[Job]) -> int:
        """How many of those that wait may come in: by the batch's size, and by memory."""
        free = min(size - len(self._rows), len(waiting))
        if free <= 0 or free < min(size // _WORTH, len(waiting)):
            return 0  # to come in costs the same for one as for several
        longest = max(len(job.tokens) + self._expected(job) for job in waiting)
        growth = sum(max(0, self._expected(r.job) - len(r.written)) for r in self._rows)
        left = max(0.0, self._most_bytes - self.nbytes - growth * self._row_bytes)
        fitting = int(left / (longest * self._row_bytes)) if self._row_bytes else 1
        return max(min(free, fitting), 0 if self._rows else 1)

    def _expected(self, job: Job) -> int:
        """Tokens of an answer: twice the mean so far, until there is one all that it may have."""
        return min(job.sampling.max_tokens, int(2 * self._lengths.mean) or 1 << 30)

    def drop(self) -> None:
        """Let go of every row without telling, and of all that was read."""
        self._rows, self._cache, self._next = [], [], None
        self._prefixes.forget()

    def admit(self, jobs: Sequence[Job]) -> None:
        """Read the prompts of these jobs, which share their first `shared` tokens, and begin."""
        import mlx.core as mx

        began = time.perf_counter()
        prompts = list(dict.fromkeys(tuple(job.tokens) for job in jobs))
        cache, saved = self._read(prompts, jobs[0].shared)
        of = [prompts.index(tuple(job.tokens)) for job in jobs]
        rows = [
            _Row(job, saved[n] if of.index(n) == at else len(job.tokens) - 1, began)
            for at, (job, n) in enumerate(zip(jobs, of, strict=True))
        ]
        if of != list(range(len(prompts))):
            for each in cache:
                each.filter(mx.array(of))
        tokens = self._drawn(rows, mx.array([[job.tokens[-1]] for job in jobs]), cache)
        self._join(rows, cache, tokens)
        length = max(len(job.tokens) for job in jobs) * len(jobs)
        self._row_bytes = sum(each.nbytes for each in cache) / length

    def step(self) -> None:
        """One more token for each row; those that end are told and let go."""
        import mlx.core as mx

        tokens, self._next = self._next, None
        following = self._drawn(self._rows, tokens[:, None], self._cache, ahead=1)
        now = time.perf_counter()
        ended = {}
        for at, (row, token) in enumerate(zip(self._rows, tokens.tolist(), strict=True)):
            if reason := row.take(token, self._stops, now):
                ended[at] = reason
        self._next = following
        if ended:
            self._let_go(ended, now)
        self._steps += 1
        if self._steps % _CLEAR_EVERY == 0:
            mx.clear_cache()

    def _let_go(self, ended: dict[int, str], now: float) -> None:
        import mlx.core as mx

        rows = self._rows
        keep = [at for at in range(len(rows)) if at not in ended]
        self._rows = [rows[at] for at in keep]
        if keep:
            chosen = mx.array(keep)
            for each in self._cache:
                each.filter(chosen)
            self._next = self._next[chosen]
        else:
            self._cache, self._next = [], None
        for at, reason in ended.items():
            self._lengths.add(len(rows[at].written))
            rows[at].job.done(rows[at].told(reason, now))

    def _join(self, rows: list[_Row], cache: list[Any], tokens: Any) -> None:
        import mlx.core as mx

        if self._rows:
            for ours, theirs in zip(self._cache, cache, strict=True):
                ours.extend(theirs)
            self._next = mx.concatenate([self._next, tokens])
        else:
            self._cache, self._next = cache, tokens
        self._rows = self._rows + rows

    def _drawn(self, rows: Sequence[_Row], inputs: Any, cache: list[Any], ahead: int = 0) -> Any:
        """The next token of each row, on its way."""
        import mlx.core as mx

        logits = self._model(inputs, cache=cache)[:, -1, :]
        wanted = [Drawing(r.job.sampling, r.job.seed, len(r.written) + ahead) for r in rows]
        tokens = draw(logits, wanted)
        mx.async_eval(tokens)  # type: ignore[no-untyped-call]  # it has no annotations
        return tokens

    def _read(self, prompts: list[tuple[int, ...]], shared: int) -> tuple[list[Any], list[int]]:
        """Caches that hold all but the last token of each prompt, as one batch."""
        from mlx_lm.models.cache import make_prompt_cache

        warmed = self._warm(prompts[0][:shared])
        known = [self._prefixes.longest(prompt[:-1]) for prompt in prompts]
        caches = [hit.cache if hit else make_prompt_cache(self._model) for hit in known]
        cache = [kind[0].merge(list(kind)) for kind in zip(*caches, strict=True)]
        saved = [hit.length if hit else 0 for hit in known]
        rests = [list(prompt[n:-1]) for prompt, n in zip(prompts, saved, strict=True)]
        saved[0] -= warmed
        if any(rests):
            self._prefill(rests, cache)
        self._remember(prompts[-1][:-1], [each.extract(len(prompts) - 1) for each in cache])
        return cache, saved

    def _remember(self, tokens: tuple[int, ...], cache: list[Any]) -> None:
        """More samples of the last prompt may follow; but a kernel is not forgotten for it."""
        import mlx.core as mx

        room = self._most_bytes // _PREFIXES
        if sum(each.nbytes for each in cache) + self._prefixes.nbytes <= room:
            # As long as it is only promised, it holds the whole batch that it is taken from.
            mx.eval([each.state for each in cache])
            self._prefixes.keep(tokens, cache, room)

    def _warm(self, prefix: tuple[int, ...]) -> int:
        """Read what stands before several prompts, where it is not known; how much that was."""
        from mlx_lm.models.cache import make_prompt_cache

        hit = self._prefixes.longest(prefix)
        if not prefix or (hit and hit.length == len(prefix)):
            return 0
        cache = make_prompt_cache(self._model)
        self._forward([list(prefix)], cache)
        self._prefixes.keep(prefix, cache, self._most_bytes // _PREFIXES)
        return len(prefix)

    def _prefill(self, rests: list[list[int]], cache: list[Any]) -> None:
        """Read the rests, padded at the right to one length, then moved to it."""
        import mlx.core as mx

        longest = max(map(len, rests))
        if longest % _STEP == 1 and len(set(map(len, rests))) > 1:
            longest += 1  # sliding windows take a single token for the next one of an answer
        padding = [longest - len(rest) for rest in rests]
        if any(padding):
            for each in cache:
                each.prepare(lengths=[len(rest) for rest in rests], right_padding=padding)
        self._forward([r + [0] * p for r, p in zip(rests, padding, strict=True)], cache)
        if any(padding):
            for each in cache:
                each.finalize()
            mx.eval([each.state for each in cache])

    def _forward(self, tokens: list[list[int]], cache: list[Any]) -> None:
        import mlx.core as mx

        inputs = mx.array(tokens)
        for start in range(0, inputs.shape[1], _STEP):
            self._model(inputs[:, start : start + _STEP], cache=cache)
            mx.eval([each.state for each in cache])
            mx.clear_cache()
