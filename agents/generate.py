"""Generate: each request is put to its model, once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from agents.kernels import Kernels
from agents.models import Answer, Ask, Model, open_model, outcome
from agents.models.patience import Patience
from schemas import Generated, Requested
from streams.errors import ModelError, ModelSilent, RequestRefused
from streams.ids import named, sealed, seed
from streams.origin import origin
from streams.topics import REQUESTS

if TYPE_CHECKING:
    from streams.app import App


def asked(requested: Requested, kernel: str | None) -> Ask:
    """What the model is asked; its seed follows from the request, which so can be repeated."""
    return Ask(
        system=kernel,
        prompt=requested.prompt,
        sampling=requested.sampling,
        seed=seed(requested.id),
    )


def generated(requested: Requested, answer: Answer | str) -> Generated:
    """The generation of a request: an answer with its outcome, or why there is none."""
    if isinstance(answer, str):
        facts: dict[str, Any] = {"response": "", "outcome": "error", "error": _text(answer)}
    else:
        facts = {
            "response": _text(answer.text),
            "outcome": outcome(answer),
            "finish_reason": answer.finish_reason,
            "system_role": answer.system_role,
            "revision": answer.revision,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "prefill_s": answer.prefill_s,
            "decode_s": answer.decode_s,
        }
    return sealed(
        Generated(
            **origin(requested),
            request=requested.id,
            phase=requested.phase,
            probe=requested.probe,
            original=requested.original,
            prompt=requested.prompt,
            model=requested.model,
            kernel=requested.kernel,
            sample=requested.sample,
            seed=seed(requested.id),
            **facts,
        )
    )


def _text(said: str) -> str:
    """Half a surrogate pair, as a server may send it, is no text that JSON can hold."""
    return said.encode(errors="replace").decode()


class Desk:
    """Asks one model at a time, in a thread of its own, so that the event loop stays free."""

    def __init__(self, opening: Callable[[str], Model]) -> None:
        self._opening = opening
        self._model: Model | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lem-model")

    async def answer(self, url: str, ask: Ask) -> Answer | str:
        """The model's answer, or in a sentence why this request has none.

        Raises:
            ModelError: The model can't be opened, or takes no request at all.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._answer, url, ask
        )

    def close(self) -> None:
        """Let the model go, after the answer at hand."""
        self._thread.shutdown(wait=True)
        if self._model:
            self._model.close()

    def _answer(self, url: str, ask: Ask) -> Answer | str:
        model = self._opened(url)
        try:
            return model.answer(ask)
        except (ModelSilent, RequestRefused) as error:
            return str(error)
        except ModelError:
            raise
        except Exception as error:  # a back end's own: told with the request, which is kept
            return f"Model {url} failed: {type(error).__name__}: {error}"

    def _opened(self, url: str) -> Model:
        """The model of this URL; another one that is open is let go first."""
        if self._model is None or self._model.url != url:
            if self._model:
                self._model.close()
            self._model = None
            self._model = self._opening(url)
        return self._model


def join(app: "App") -> None:
    """Answer every request that has no generation yet."""
    from streams.app import work

    desk = Desk(lambda url: open_model(url, patience=Patience(tries=app.settings.tries)))
    kernels = Kernels(app.store)
    app.closing.append(desk.close)

    async def handle(requested: Requested) -> list[Generated]:
        if await app.look_up(app.store.known, [named(Generated, requested.id)]):
            return []
        kernel = await app.look_up(kernels.of, requested.run) if requested.kernel else None
        try:
            answer = await desk.answer(requested.model, asked(requested, kernel))
        except ModelError as error:
            if not app.settings.skip_failing:
                raise ModelError(f"{error} {_waits(requested)}") from error
            answer = str(error)
        return [generated(requested, answer)]

    @app.agent(app.records_of(REQUESTS.name), name="generate")
    async def generate(stream: Any) -> None:
        await work(app, stream, Requested, handle, step="generate")


def _waits(requested: Requested) -> str:
    return (
        f"Request {requested.id[:8]} of run {requested.run} waits for it. To go on without it:"
        " `lem run --skip-failing`; what is skipped so is asked again by `lem distill --retry`."
    )
