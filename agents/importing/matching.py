"""Finds the request that a response belongs to, beside the responses that the log has already."""

from collections.abc import Sequence

import msgspec

from agents.importing.facts import generated, requested
from agents.importing.known import Known, Standing
from agents.importing.told import LooseScore, Recorded
from schemas import Generated, Probed, Requested, Sampling
from streams.envelope import event, found
from streams.errors import UnreadableRecord
from streams.ids import digest, named, seed
from streams.log.door import Store
from streams.origin import Origin


class Asked(msgspec.Struct, frozen=True):
    """A response, and the request that it answers unless another response does."""

    recorded: Recorded
    standing: Standing
    origin: Origin
    request: Requested

    @property
    def generation(self) -> str:
        """The id of the generation of that request."""
        return named(Generated, self.request.id)


def answered(store: Store, asked: Sequence[Asked]) -> list[tuple[Requested, Generated]]:
    """The request and the generation of each, in their order.

    A request has one generation. Where files tell of several responses to one question, the first
    answers the sample that it was recorded as, and each other a sample that follows from its own
    text: so it is known again, whatever is imported when.
    """
    known = store.known(each.generation for each in asked)
    seen: dict[str, Generated] = {}
    told = []
    for each in asked:
        request, answer = each.request, generated(each.recorded, each.request, each.origin)
        there = seen.get(answer.id) or (_on(store, answer.id) if answer.id in known else None)
        if there is not None and not _is_same(there, answer):
            request = _another(each)
            answer = generated(each.recorded, request, each.origin)
        seen.setdefault(answer.id, answer)
        told.append((request, answer))
    return told


def generation_of(store: Store, known: Known, graded: LooseScore, phase: str) -> Generated | None:
    """The generation that a score of another file is about; none where it is nowhere.

    Its id follows from what was asked: this probe, of this model, plainly, once.
    """
    if (event_id := known.event_of(graded.probe)) is None:
        return None
    probed = found(store, event_id, Probed, by=f"Score of {graded.probe}")
    plain = (phase, probed.probe, probed.prompt, graded.model, None, Sampling(), 0, 0)
    return _on(store, named(Generated, named(Requested, *plain)))


def _on(store: Store, generation: str) -> Generated | None:
    for record in store.find(generation):
        try:
            told = event(record)
        except UnreadableRecord:
            continue
        if isinstance(told, Generated):
            return told
    return None


def _is_same(one: Generated, other: Generated) -> bool:
    return (one.response, one.error) == (other.response, other.error)


def _another(asked: Asked) -> Requested:
    sample = seed(digest(asked.recorded.response))
    phase = asked.request.phase
    return requested(asked.recorded, asked.standing, phase, asked.origin, sample=sample)
