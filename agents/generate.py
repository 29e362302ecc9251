"""Generate: each request is put to its model, once; many are under way together."""

from typing import TYPE_CHECKING, Any

from agents.asking import asked
from agents.budget import Budgets, spent
from agents.desk import Desk
from agents.kernels import Kernels
from agents.known import Known
from agents.models import Answer, outcome
from agents.models.opening import opener
from agents.models.prices import read
from schemas import Generated, Requested
from streams.errors import ModelError
from streams.ids import named, sealed, seed
from streams.origin import origin
from streams.topics import REQUESTS

if TYPE_CHECKING:
    from streams.app import App
    from streams.work import Wanted


def generated(requested: Requested, answer: Answer | str) -> Generated:
    """The generation of a request: an answer with its outcome, or why there is none."""
    if isinstance(answer, str):
        facts: dict[str, Any] = {"response": "", "outcome": "error", "error": _text(answer)}
    else:
        facts = {
            "response": _text(answer.text),
            "reasoning": _text(answer.reasoning),
            "outcome": outcome(answer),
            "finish_reason": answer.finish_reason,
            "system_role": answer.system_role,
            "revision": answer.revision,
            "prompt_tokens": answer.prompt_tokens,
            "saved_tokens": answer.saved_tokens,
            "completion_tokens": answer.completion_tokens,
            "cost": answer.cost,
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


def join(app: "App") -> None:
    """Answer every request that has no generation yet, as many at once as the models take."""
    from streams.work import work_together

    prices = read(app.settings.prices)
    desk = Desk(opener(app.settings, prices))
    kernels, known = Kernels(app.store), Known(app)

    async def before() -> dict[str, float]:
        return await app.look_up(spent, app.store, app.settings.home_path)

    budgets = Budgets(app.settings.budget, prices, before)
    app.closing.append(desk.close)

    async def handle(requested: Requested, wanted: "Wanted") -> list[Generated]:
        if await known.has(named(Generated, requested.id)):
            return []
        kernel = await app.look_up(kernels.of, requested.run) if requested.kernel else None
        ask = asked(requested, kernel)
        try:
            async with budgets.holding(requested, ask, wanted) as hold:
                answer = await desk.answer(requested.model, ask, is_wanted=wanted)
                if isinstance(answer, Answer):
                    hold.cost = answer.cost
        except ModelError as error:
            if not app.settings.skip_failing:
                raise ModelError(f"{error} {_waits(requested)}") from error
            answer = str(error)
        return [generated(requested, answer)]

    @app.agent(app.records_of(REQUESTS.name), name="generate")
    async def generate(stream: Any) -> None:
        await work_together(app, stream, Requested, handle, step="generate")


def _waits(requested: Requested) -> str:
    return (
        f"Request {requested.id[:8]} of run {requested.run} waits for it. To go on without it:"
        " `lem run --skip-failing`; what is skipped so is asked again by `lem distill --retry`."
    )
