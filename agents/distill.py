"""Distill: plan a phase's requests, every prompt as often as the phase samples it.

Planning writes nothing; what is planned again has the same ids and is on the log already.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from schemas import Generated, Kernel, Probed, Requested, Started
from streams.curriculum import Phase
from streams.envelope import event
from streams.ids import named, run_id, sealed
from streams.log.door import Store
from streams.origin import origin

_AT_ONCE = 500


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a run asks of whom: its id follows from this alone."""

    phase: Phase
    model: str
    kernel: Kernel | None

    @property
    def run(self) -> str:
        """The run's id."""
        digest = self.kernel.digest if self.kernel else None
        return run_id("distill", self.phase.name, self.model, digest, self.phase.sampling)


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


def planned(
    store: Store,
    question: Question,
    probes: Iterable[Probed],
    *,
    samples: int,
    limit: int | None = None,
    retry: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> Plan:
    """The requests that the log lacks, each prompt once before any is asked twice.

    Args:
        store: The log that already has some of them.
        question: What is asked of whom.
        probes: The prompts.
        samples: How often each is asked.
        limit: At most so many new requests.
        retry: Ask again what ended in an error.
        progress: Called with how many more requests were looked at.
    """
    prompts = list(probes)
    new: list[Requested] = []
    known = 0
    every = _all(question, prompts, samples)
    while batch := list(islice(every, _AT_ONCE)):
        wanted = _retried(store, batch) if retry else batch
        there = store.known(each.id for each in wanted)
        known += len(batch) - len(wanted) + len(there)
        more = [each for each in wanted if each.id not in there]
        new += more if limit is None else more[: limit - len(new)]
        progress(len(batch))
    retries = sum(each.attempt > 0 for each in new)
    return Plan(
        run=question.run,
        prompts=len(prompts),
        samples=samples,
        requests=new,
        known=known,
        retries=retries,
    )


def started(question: Question, plan: Plan) -> Started:
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


def _all(question: Question, prompts: list[Probed], samples: int) -> Iterator[Requested]:
    for sample in range(samples):
        for probed in prompts:
            yield sealed(
                Requested(
                    **origin(probed, run=question.run),
                    phase=question.phase.name,
                    probe=probed.probe,
                    original=probed.original,
                    prompt=probed.prompt,
                    model=question.model,
                    kernel=question.kernel.name if question.kernel else None,
                    kernel_digest=question.kernel.digest if question.kernel else None,
                    sampling=question.phase.sampling,
                    sample=sample,
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
