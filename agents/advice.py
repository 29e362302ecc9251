"""What to run next for a phase: the exact command, and why."""

import math
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.rephrasings import SUFFIXES
from streams.curriculum import EVERY_SET, Phase
from streams.sets import ProbeSet

if TYPE_CHECKING:
    from agents.coverage import Covered

_MANY = 3
"""So many times the samples that its phase is meant to take from a prompt are too many."""


class Step(NamedTuple):
    """What to run next."""

    command: str
    why: str


def steps(
    phase: Phase, found: "Covered", before: dict[str, Any], sets: Mapping[str, ProbeSet]
) -> Iterator[Step]:
    """What to run next for a phase, in this order.

    Args:
        phase: What is wanted.
        found: How far it is.
        before: The `model` that it has asked most, and how many `requests` that had.
        sets: Those of the curriculum that have probes on the log.
    """
    name = shlex.quote(phase.name)
    if not found.probes:
        yield Step("lem seed", f"no probe of {', '.join(phase.probes)} is on the log")
    if found.waiting:
        yield Step("lem run", f"{found.waiting:,} requests or answers wait for the worker")
    if found.held:
        yield Step(f"lem review --phase {name}", f"{found.held:,} answers are on hold")
    if not found.missing:
        yield Step(f"lem materialize --phase {name}", "the volume is reached")
    elif found.probes:
        yield from _planning(phase, found, before, sets)


def _planning(
    phase: Phase, found: "Covered", before: dict[str, Any], sets: Mapping[str, ProbeSet]
) -> Iterator[Step]:
    """More requests, and more probes where requests alone would ask each too often."""
    if found.needed is None:
        if not found.requests:
            yield Step(_distilled(phase, before, phase.samples), "nothing was asked yet")
        elif found.rate == 0:
            yield Step(f"lem gate --phase {shlex.quote(phase.name)}", "no answer was accepted")
        return
    if not found.needed:
        return
    prompts = found.probes * (1 + len(SUFFIXES) if phase.rephrasings else 1)
    samples = math.ceil((before["requests"] + found.needed) / prompts)
    if samples > (most := _MANY * phase.samples):
        why = f"{samples:,} samples of each prompt would be needed; more probes are better"
        yield _more_probes(phase, found, before["model"], sets, why)
        if before["requests"] >= most * prompts:
            return
        samples = most
    why = f"about {found.needed:,} requests at {found.rate:.0%}"
    yield Step(_distilled(phase, before, samples), why)


def _more_probes(
    phase: Phase, found: "Covered", model: str, sets: Mapping[str, ProbeSet], why: str
) -> Step:
    """Drafts for the domain with the fewest rows; where no set has a template, seeds by hand."""
    rows = {group.group: group.rows for group in found.groups if group.by == "domain"}
    places = [
        (name, domain)
        for name, each in sets.items()
        if each.draft and phase.asks(name)
        for domain in each.domains
    ]
    if not places:
        return Step("lem seed FILE.yaml", f"{why}: write some; there is no template to draft by")
    name, domain = min(places, key=lambda place: rows.get(place[1], 0))
    return Step(
        shlex.join(["lem", "draft", "--set", name, "--domain", domain, "--model", model]), why
    )


def _distilled(phase: Phase, before: dict[str, Any], samples: int) -> str:
    """The command that plans so many samples, of the model that the phase has asked most."""
    if phase.probes == (EVERY_SET,) and phase.kernel is None:  # what `lem expand` is for
        urls = [f"{url}={share:g}" for url, share in phase.models.items()] or [before["model"]]
        asked = "".join(f" --model {shlex.quote(url)}" for url in urls)
        return f"lem expand{asked} --phase {shlex.quote(phase.name)}"
    model = "" if phase.models else f" --model {shlex.quote(before['model'])}"
    return f"lem distill --phase {shlex.quote(phase.name)} --samples {samples}{model}"
