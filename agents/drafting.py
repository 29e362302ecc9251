"""Drafting: what a model is asked that is to write new probes.

A draft is a generation of a phase that no curriculum may have, so that no gate takes it up and no
dataset holds it. `agents.drafts` says what becomes of it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from agents.seeding import probes
from schemas import Probed, Requested, Sampling
from streams.curriculum import Curriculum
from streams.envelope import events
from streams.errors import ConfigError
from streams.ids import digest, run_id
from streams.log.door import Store
from streams.origin import origin
from streams.sets import ProbeSet
from streams.topics import REQUESTS

PHASE = "draft"
"""The phase of drafts."""


class Wish(NamedTuple):
    """Where a drafted probe would belong; stands in its request as the probe's id."""

    set: str
    domain: str
    language: str

    def named(self, number: int) -> str:
        """The id that is asked for in place of a probe's, which it will have once accepted."""
        return f"{PHASE}/{self.set}/{self.language}/{number}/{self.domain}"

    @classmethod
    def of(cls, probe: str) -> "Wish":
        """The wish that stands in such an id."""
        _, of_set, language, _, domain = probe.split("/", 4)
        return cls(of_set, domain, language)


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """The phase of drafts, as far as a plan asks for it."""

    sampling: Sampling
    name: str = PHASE


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A run of drafts: another template, or another set, is another run."""

    phase: Drawing
    model: str
    set: str
    template: str
    kernel: None = None

    @property
    def run(self) -> str:
        """The run's id."""
        return run_id(PHASE, self.set, self.model, digest(self.template), self.phase.sampling)


def bound(curriculum: Curriculum, wish: Wish) -> ProbeSet:
    """What binds the set that is wished for.

    Raises:
        ConfigError: Nothing does, or it has no such domain or no template.
    """
    sets = {name: each for name, each in curriculum.sets.items() if each.draft}
    if wish.set not in sets:
        there = ", ".join(sets) or "none"
        raise ConfigError(
            f'The curriculum has no draft template for a set "{wish.set}"; it has one for {there}.'
        )
    if wish.domain not in sets[wish.set].domains:
        raise ConfigError(
            f'The set "{wish.set}" has no domain "{wish.domain}"; there are'
            f" {', '.join(sets[wish.set].domains)}."
        )
    return sets[wish.set]


def prompts(
    store: Store, question: Question, wish: Wish, wanted: ProbeSet, *, count: int
) -> list[Probed]:
    """The first so many prompts of a wish, each with an example of its own from the log.

    What the run has asked before is asked in the same words, whatever probes came since; so that
    the same command plans nothing new, and a higher count only what is missing.

    Raises:
        ConfigError: The log has no probe of the set, to be an example.
    """
    before = _asked(store, question.run)
    examples = _examples(probes(store), wish)
    if not examples:
        raise ConfigError(
            f'The log has no probe of the set "{wish.set}" for an example; `lem seed` puts the'
            " project's own there."
        )
    return list(_prompts(wish, wanted, examples, before, count))


def _prompts(
    wish: Wish, wanted: ProbeSet, examples: list[Probed], before: dict[str, str], count: int
) -> Iterator[Probed]:
    for number in range(count):
        # Of a longer list most numbers still get the same example.
        example = min(examples, key=lambda each: digest([number, each.probe]))
        name = wish.named(number)
        yield Probed(
            **origin(),
            id=example.id,  # what is asked was led to by the example
            probe=name,
            prompt=before.get(name) or filled(wanted, wish, number, example.prompt),
            domain=wish.domain,
            set=wish.set,
            language=wish.language,
        )


def filled(wanted: ProbeSet, wish: Wish, number: int, example: str) -> str:
    """The template with its gaps filled; the number of people changes from draft to draft."""
    least, most = wanted.stakeholders or (0, 0)
    return (wanted.draft or "").format(
        domain=wish.domain,
        language=wish.language,
        stakeholders=least + number % (most - least + 1),
        example=example,
    )


def _asked(store: Store, run: str) -> dict[str, str]:
    requests = (each for each in events(store, REQUESTS.name) if isinstance(each, Requested))
    return {each.probe: each.prompt for each in requests if each.run == run}


def _examples(every: Iterable[Probed], wish: Wish) -> list[Probed]:
    """Written by people, of the domain if there are any; a model should not learn from its own."""
    written = [each for each in every if each.set == wish.set and _is_written(each)]
    return [each for each in written if each.domain == wish.domain] or written


def _is_written(probed: Probed) -> bool:
    return probed.cause is None and not probed.rephrasing_of
