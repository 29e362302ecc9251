"""Expand: which prompts a trained model is asked, and which of them first.

What has an answer from elsewhere is left out: what was asked for training is there already, and
what a model is tested with must not be trained on.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from schemas import Probed, Requested
from streams.envelope import events
from streams.ids import digest
from streams.log.door import Store
from streams.topics import REQUESTS


def asked_elsewhere(store: Store, phase: str) -> frozenset[str]:
    """The digests of all prompts that other phases have asked, history's too."""
    requests = (each for each in events(store, REQUESTS.name) if isinstance(each, Requested))
    return frozenset(digest(each.prompt) for each in requests if each.phase != phase)


def written(probes: Iterable[Probed]) -> Iterator[Probed]:
    """The probes that somebody wrote, each voice of a scenario too; no agent's rephrasings."""
    return (each for each in probes if each.voice or not each.rephrasing_of)


def pending(
    probes: Iterable[Probed], *, least: int, left_out: Container[str] = frozenset()
) -> list[Probed]:
    """Each prompt once, in the order of the log.

    Args:
        probes: In that order.
        least: Shorter prompts, in characters, are left out.
        left_out: Digests of prompts.
    """
    found: dict[str, Probed] = {}
    for probed in probes:
        if len(probed.prompt) >= least and (mark := digest(probed.prompt)) not in left_out:
            found.setdefault(mark, probed)
    return list(found.values())


def rarest_first(probes: Sequence[Probed], every: Iterable[Probed]) -> list[Probed]:
    """The probes of rare domains first, equally rare ones in the order that they came in.

    Args:
        probes: What is to be ordered.
        every: What a domain's size is counted in: also what is asked elsewhere.
    """
    sizes = Counter(_domain(each) for each in every)
    return sorted(probes, key=lambda each: sizes[_domain(each)])


def _domain(probed: Probed) -> str:
    return probed.domain.casefold()
