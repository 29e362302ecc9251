"""Distill: plan a phase's requests, every prompt as often as the phase samples it.

Planning writes nothing; what is planned again has the same ids and is on the log already. What is
planned first is asked first: the log keeps the order, and needs no other mark of priority.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import msgspec

from agents.shares import Shares, drawn
from schemas import Generated, Kernel, Probed, Requested, Sampling, Started
from streams.curriculum import Phase
from streams.envelope import event
from streams.ids import digest, named, run_id, sealed
from streams.log.door import Store
from streams.origin import origin

_AT_ONCE = 500


class Drawing(Protocol):
    """What a plan needs to know of a phase, whether or not the curriculum has it."""

    @property
    def name(self) -> str:
        """As `1` or `ab`."""

    @property
    def sampling(self) -> Sampling:
        """How answers are drawn."""


class Asking(Protocol):
    """What a run asks of whom, whichever command opens it."""

    @property
    def phase(self) -> Drawing:
        """In whose name."""

    @property
    def model(self) -> str:
        """The model's URL."""

    @property
    def kernel(self) -> Kernel | None:
        """The system prompt."""

    @property
    def run(self) -> str:
        """The run's id."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a run asks of whom: its id follows from this alone."""

    phase: Phase
    model: str
    kernel: Kernel | None
    kind: str = "distill"

    @property
    def run(self) -> str:
        """The run's id."""
        digest = self.kernel.digest if self.kernel else None
        return run_id(self.kind, self.phase.name, self.model, digest, self.phase.sampling)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be asked, and what of it is on the log already."""

    run: str
    prompts: int
    samples: int
    requests: list[Requested]
    """What is new, in the order in which it is to be asked."""
    known: int
    """How many requests of the plan the log has already."""
    retries: int
    """How many of the new ones ask again what ended in an error."""


Progress = Callable[[int], object]


def planned(
    store: Store,
    question: Asking,
    probes: Iterable[Probed],
    *,
    samples: int,
    limit: int | None = None,
    retry: bool = False,
    progress: Progress = lambda _: None,
) -> Plan:
    """The requests of one model that the log lacks; as `shared`."""
    shares = {question.model: 1.0}
    (plan,) = shared(
        store,
        [question],
        shares,
        probes,
        samples=samples,
        limit=limit,
        retry=retry,
        progress=progress,
    )
    return plan


def shared(
    store: Store,
    questions: Sequence[Asking],
    shares: Shares,
    probes: Iterable[Probed],
    *,
    samples: int,
    limit: int | None = None,
    retry: bool = False,
    progress: Progress = lambda _: None,
) -> list[Plan]:
    """The requests that the log lacks, each prompt once before any is asked twice.

    Each sample of a prompt is asked of one model only, the same one whatever else is asked.

    Args:
        store: The log that already has some of them.
        questions: What is asked of whom; they differ in the model alone.
        shares: How much of it each of those models is asked.
        probes: The prompts, those first that are to be asked first.
        samples: How often each is asked.
        limit: At most so many new requests, of all models together.
        retry: Ask again what ended in an error.
        progress: Called with how many more requests were looked at.

    Returns:
        One plan for each question, in their order.
    """
    prompts = list(probes)
    new: list[Requested] = []
    known: Counter[str] = Counter()
    every = _all({each.model: each for each in questions}, shares, prompts, samples)
    while batch := list(islice(every, _AT_ONCE)):
        wanted = _retried(store, batch) if retry else batch
        there = store.known(each.id for each in wanted)
        more = [each for each in wanted if each.id not in there]
        known.update(each.model for each in batch)
        known.subtract(each.model for each in more)
        new += more if limit is None else more[: limit - len(new)]
        progress(len(batch))
    return [
        _plan(each, len(prompts), samples, [r for r in new if r.model == each.model], known)
        for each in questions
    ]


def started(question: Asking, plan: Plan) -> Started:
    """The run, opened or taken further by this plan."""
    return sealed(
        Started(
            **origin(run=plan.run),
            phase=question.phase.name,
            model=question.model,
            sampling=question.phase.sampling,
            kernel=question.kernel,
            samples=plan.samples,
            requests=len(plan.requests) + plan.known,
            retries=plan.retries,
            attempt=max((each.attempt for each in plan.requests), default=0),
        )
    )


def _plan(
    question: Asking, prompts: int, samples: int, new: list[Requested], known: Counter[str]
) -> Plan:
    return Plan(
        run=question.run,
        prompts=prompts,
        samples=samples,
        requests=new,
        known=known[question.model],
        retries=sum(each.attempt > 0 for each in new),
    )


def _all(
    questions: dict[str, Asking], shares: Shares, prompts: list[Probed], samples: int
) -> Iterator[Requested]:
    for sample in range(samples):
        for probed in prompts:
            lot = drawn(shares, _lot(probed, sample, *questions.values()))
            yield _requested(questions[lot], probed, sample)


def _lot(probed: Probed, sample: int, question: Asking, *more: Asking) -> str:
    """What is asked, without the model; nothing where there is none to choose from."""
    if not more:
        return ""
    kernel = question.kernel.digest if question.kernel else None
    phase = question.phase
    return digest([phase.name, probed.probe, probed.prompt, kernel, phase.sampling, sample])


def _requested(question: Asking, probed: Probed, sample: int) -> Requested:
    kernel = question.kernel
    return sealed(
        Requested(
            **origin(probed, run=question.run),
            phase=question.phase.name,
            probe=probed.probe,
            original=probed.original,
            prompt=probed.prompt,
            model=question.model,
            kernel=kernel.name if kernel else None,
            kernel_digest=kernel.digest if kernel else None,
            sampling=question.phase.sampling,
            sample=sample,
            arrangement=kernel.arrangement if kernel else "system",
        )
    )


def _retried(store: Store, batch: list[Requested]) -> list[Requested]:
    """Each as the attempt that is to be asked; without those that were answered."""
    told = store.known(named(Generated, each.id) for each in batch)
    found = (_again(store, each) if named(Generated, each.id) in told else each for each in batch)
    return [each for each in found if each]


def _again(store: Store, requested: Requested) -> Requested | None:
    """The first attempt that has no answer yet; none where one was answered without an error."""
    while answers := store.find(named(Generated, requested.id)):
        answer = event(answers[0])
        if not isinstance(answer, Generated) or answer.outcome != "error":
            return None
        requested = sealed(msgspec.structs.replace(requested, attempt=requested.attempt + 1))
    return requested
