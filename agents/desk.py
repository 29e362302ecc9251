"""The desk between requests and models: which models are open, who waits, who is asked."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

from agents.models import Answer, Ask, Model
from streams.errors import ModelError, ModelSilent, RequestRefused

_LOOK_EVERY_S = 0.1  # a model's room changes without a word


class _Waiting(NamedTuple):
    number: int
    """Who came first has the smallest."""
    ask: Ask
    is_wanted: Callable[[], bool]
    answer: "asyncio.Future[Answer | str]"


class _Line:
    """Those who ask one model."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_here = url.startswith("mlx:")
        """Whether it fills this machine's memory."""
        self.waiting: deque[_Waiting] = deque()
        self.asked = 0
        self.model: Model | None = None
        self.opening: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return not (self.opening or self.asked or (self.model and self.waiting))


class Desk:
    """Asks each model as much at once as it has room for, in the order of asking.

    Servers stay open. Of the models on this machine one is open at a time: it is kept as long as
    somebody waits for it here, then whoever has waited longest gets theirs. So two models that are
    asked by turns take turns only as often as one of them has nobody left here.

    Belongs to the event loop; models are opened in a thread, and answer in theirs.
    """

    def __init__(self, opening: Callable[[str], Model]) -> None:
        self._opening = opening
        self._lines: dict[str, _Line] = {}
        self._numbers = count()
        self._thread = ThreadPoolExecutor(1, "lem-model")
        self._timer: asyncio.TimerHandle | None = None

    async def answer(
        self, url: str, ask: Ask, *, is_wanted: Callable[[], bool] = lambda: True
    ) -> Answer | str:
        """The model's answer, or in a sentence why this ask has none.

        Args:
            url: The model.
            ask: What it is asked.
            is_wanted: Whether it is still to be asked, when its turn comes.

        Raises:
            CancelledError: It was no more wanted, and was not asked.
            ModelError: The model can't be opened, or takes no ask at all.
        """
        answer: asyncio.Future[Answer | str] = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(url, _Line(url))
        line.waiting.append(_Waiting(next(self._numbers), ask, is_wanted, answer))
        self._serve(line)
        return await answer

    def close(self) -> None:
        """Let every model go, each in its own way with what it is at."""
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown(wait=True)
        for line in self._lines.values():
            if line.model:
                line.model.close()
                line.model = None

    def _serve(self, line: _Line) -> None:
        """Ask what there is room for; look again soon where something waits."""
        if line.waiting and not (line.model or line.opening) and self._may_open(line):
            line.opening = asyncio.create_task(self._open(line))
        while line.model and line.waiting and line.asked < line.model.room:
            self._ask(line, line.model, line.waiting.popleft())
        if line.waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        self._timer = None
        for line in self._lines.values():
            line.waiting = deque(each for each in line.waiting if _stays(each))
        self._serve_all()

    def _serve_all(self) -> None:
        for line in self._lines.values():
            self._serve(line)

    def _ask(self, line: _Line, model: Model, waiting: _Waiting) -> None:
        if not _stays(waiting):
            return
        line.asked += 1
        loop = asyncio.get_running_loop()

        def answered(done: "Future[Answer]") -> None:
            loop.call_soon_threadsafe(self._answered, line, waiting, done)

        _submitted(model, waiting.ask).add_done_callback(answered)

    def _answered(self, line: _Line, waiting: _Waiting, done: "Future[Answer]") -> None:
        line.asked -= 1
        if not waiting.answer.done():  # whoever waited may have been cancelled
            try:
                waiting.answer.set_result(_told(line.url, done))
            except ModelError as error:
                waiting.answer.set_exception(error)
        self._serve_all()

    def _may_open(self, line: _Line) -> bool:
        if not line.is_here:
            return True
        here = [each for each in self._lines.values() if each.is_here]
        first = min((each for each in here if each.waiting), key=lambda each: each.waiting[0])
        return first is line and all(each.is_idle for each in here)

    async def _open(self, line: _Line) -> None:
        others = [each for each in self._lines.values() if each.is_here and line.is_here]
        models = [each.model for each in others if each.model]
        for each in others:
            each.model = None
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._exchange, line, models)
        except Exception as error:
            for waiting in line.waiting:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            line.waiting.clear()
        finally:
            line.opening = None
        self._serve_all()

    def _exchange(self, line: _Line, models: list[Model]) -> None:
        for model in models:
            model.close()
        line.model = self._opening(line.url)


def _stays(waiting: _Waiting) -> bool:
    """Whether it is still to be asked; where not, whoever waits is told."""
    if not waiting.is_wanted():
        waiting.answer.cancel()
    return not waiting.answer.done()


def _submitted(model: Model, ask: Ask) -> "Future[Answer]":
    try:
        return model.submit(ask)
    except Exception as error:
        failed: Future[Answer] = Future()
        failed.set_exception(error)
        return failed


def _told(url: str, done: "Future[Answer]") -> Answer | str:
    try:
        return done.result()
    except (ModelSilent, RequestRefused) as error:
        return str(error)
    except ModelError:
        raise
    except Exception as error:  # a back end's own: told with the request, which is kept
        return f"Model {url} failed: {type(error).__name__}: {error}"
