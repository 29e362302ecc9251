"""What a recorded response becomes: the events that it would have left, had the log been there.

Pure: the same row of the same file always becomes the same events.
"""

from agents.importing.known import Standing
from agents.importing.told import Recorded, Score
from agents.models import Answer, control_tokens, outcome
from schemas import Generated, Requested, Scored, Started
from schemas.generation import Outcome
from streams.ids import digest, run_id, sealed
from streams.origin import Origin

PHASE = "history"
"""Where no phase is named: no curriculum has it, so no gate decides on it."""

_FAILED = "ERROR"  # how the tools wrote down that there was no answer
_TOKENS = ("<pad>", "<bos>", "<eos>")  # no template writes them, but a model may


def run_of(recorded: Recorded, name: str, phase: str) -> str:
    """The run of a response: what was asked of whom, as one file tells it."""
    kernel = recorded.kernel.digest if recorded.kernel else None
    return run_id("import", phase, recorded.model, kernel, recorded.sampling, name)


def started(recorded: Recorded, phase: str, origin: Origin, requests: int, samples: int) -> Started:
    """The run that the response belongs to."""
    return sealed(
        Started(
            **origin,
            phase=phase,
            model=recorded.model,
            sampling=recorded.sampling,
            kernel=recorded.kernel,
            samples=samples,
            requests=requests,
        )
    )


def requested(
    recorded: Recorded,
    standing: Standing,
    phase: str,
    origin: Origin,
    *,
    sample: int | None = None,
) -> Requested:
    """The request that the response answers.

    Args:
        recorded: The response.
        standing: Its probe.
        phase: The phase that it is taken up by.
        origin: Of the row.
        sample: In place of the recorded one, where that has another response.
    """
    return sealed(
        Requested(
            **origin | {"cause": standing.event},
            phase=phase,
            probe=standing.probe,
            original=standing.original,
            prompt=recorded.probe.prompt,
            model=recorded.model,
            kernel=recorded.kernel.name if recorded.kernel else None,
            kernel_digest=recorded.kernel.digest if recorded.kernel else None,
            sampling=recorded.sampling,
            sample=recorded.sample if sample is None else sample,
        )
    )


def generated(recorded: Recorded, request: Requested, origin: Origin) -> Generated:
    """The response itself; how it ended follows from its text."""
    ended, error = _ended(recorded.response)
    return sealed(
        Generated(
            **origin | {"cause": request.id},
            request=request.id,
            phase=request.phase,
            probe=request.probe,
            original=request.original,
            prompt=request.prompt,
            model=request.model,
            kernel=request.kernel,
            sample=request.sample,
            response="" if error else recorded.response,
            outcome=ended,
            error=error,
            system_role="system" if recorded.kernel and recorded.kernel.text else "none",
            decode_s=recorded.seconds,
        )
    )


def scored(score: Score, generation: Generated, origin: Origin) -> Scored:
    """A recorded score; its definition is that it was recorded under this name."""
    return sealed(
        Scored(
            **origin | {"run": generation.run, "cause": generation.id},
            generation=generation.id,
            phase=generation.phase,
            scorer=score.scorer,
            definition=digest(["recorded", score.scorer]),
            score=score.score,
            signals=score.signals,
        )
    )


def _ended(response: str) -> tuple[Outcome, str | None]:
    if response.startswith(f"{_FAILED}:") or response.strip() == _FAILED:
        return "error", response.removeprefix(_FAILED).lstrip(":").strip() or "No reason recorded."
    answer = Answer(
        text=response,
        finish_reason="",
        system_role="none",
        revision="",
        prompt_tokens=0,
        completion_tokens=0,
        prefill_s=0.0,
        decode_s=0.0,
        control_tokens=control_tokens(response, _TOKENS),
    )
    return outcome(answer), None
