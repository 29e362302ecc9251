"""Drafts: probes that a model wrote, what is wrong with them, and what a person made of them.

Accepted is what `lem seed --check` would let pass; it becomes a probe whose cause is the draft.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from agents.drafting import PHASE, Wish
from agents.likeness import ALIKE, Runs, likeness, runs
from agents.rephrasings import lead_ins
from agents.seeding import probe, probes
from agents.vetting import broken
from schemas import Generated, Probed, Reviewed
from schemas.base import Fact
from streams.envelope import events
from streams.errors import ConfigError
from streams.ids import digest, sealed
from streams.log.door import Store
from streams.origin import origin
from streams.seeds import Seed
from streams.sets import ProbeSet
from streams.topics import REVIEWS

Verdict = Literal["accepted", "rejected"]

_LIST = re.compile(r"\W*stakeholders\W*:\W*(.*)", re.IGNORECASE)
_LABEL = re.compile(r"\W*(scenario|message)\W*:[\s*_]*", re.IGNORECASE)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A probe as a model wrote it."""

    generated: Generated
    wish: Wish
    prompt: str
    stakeholders: tuple[str, ...]

    @property
    def name(self) -> str:
        """The probe id that it gets if nobody chooses one; it follows from the prompt."""
        field = re.sub(r"\W+", "_", self.wish.domain).upper()
        return f"D_{field}_{digest([self.wish.set, self.prompt])[:8].upper()}"

    def seed(self, name: str) -> Seed:
        """It, as if a person had written it into a file."""
        return Seed(
            id=name,
            domain=self.wish.domain,
            prompt=self.prompt,
            set=self.wish.set,
            language=self.wish.language,
            is_tagged=True,
            stakeholders=self.stakeholders,
            place=f"Draft {self.generated.id[:8]}",
        )


class Known(NamedTuple):
    """What is on the log beside the drafts."""

    probes: dict[str, Probed]
    """By probe id."""

    runs: list[tuple[str, Runs]]
    """What a draft must not repeat, each with its name."""

    probe_of: dict[str, Probed]
    """The probe that a draft has become, by the draft's id."""

    reviews: dict[str, Reviewed]
    """The last one of each generation."""


def known(store: Store) -> Known:
    """Read the probes and reviews of a log; of rephrasings the original says enough."""
    every = list(probes(store))
    texts = [(each.probe, runs(each.prompt)) for each in every if not each.kind or each.voice]
    leads = [("a lead-in of rephrasings", runs(text)) for text in lead_ins()]
    reviews = (each for each in events(store, REVIEWS.name) if isinstance(each, Reviewed))
    return Known(
        {each.probe: each for each in every},
        [*leads, *texts],
        {each.cause: each for each in every if each.cause and not each.rephrasing_of},
        {each.generation: each for each in reviews if each.phase == PHASE},
    )


def read(generated: Generated) -> Draft:
    """The draft in a generation: a paragraph, and below it the people in it, if they are listed.

    Raises:
        ConfigError: It is another phase's.
    """
    if generated.phase != PHASE:
        raise ConfigError(
            f'Generation {generated.id[:8]} is no draft: its phase is "{generated.phase}".'
            " `lem draft list` shows those that wait."
        )
    lines = [line.strip() for line in generated.response.splitlines() if line.strip()]
    listed = _LIST.fullmatch(lines[-1]) if lines else None
    text = " ".join(" ".join(lines[:-1] if listed else lines).split())
    return Draft(
        generated=generated,
        wish=Wish.of(generated.probe),
        prompt=_LABEL.sub("", text, count=1) if _LABEL.match(text) else text,
        stakeholders=_names(listed[1]) if listed else (),
    )


def faults(draft: Draft, sets: Mapping[str, ProbeSet], there: Known, name: str) -> Iterator[str]:
    """Why it can't be accepted under that probe id; a sentence each."""
    seed = draft.seed(name)
    if draft.generated.outcome != "ok":
        yield f"{seed.place} ended as {draft.generated.outcome} and is not whole; reject it."
    if not draft.prompt:
        yield f"{seed.place} holds no scenario."
        return
    yield from (f"{seed.place} {wrong.says}" for wrong in broken(seed, sets.get(seed.set)))
    own = there.probe_of.get(draft.generated.id)
    if (other := there.probes.get(name)) and other is not own:
        yield f'{seed.place} can\'t be "{name}", which is another probe; choose one with --as.'
    mine = runs(draft.prompt)
    for twin, text in there.runs:
        if (own is None or twin != own.probe) and (share := likeness(mine, text)) >= ALIKE:
            yield f"{seed.place} shares {share:.0%} of its runs of five words with {twin}."


def accepted(draft: Draft, there: Known, name: str, *, reviewer: str, note: str = "") -> list[Fact]:
    """The review and the probe; only what the log lacks of them.

    Raises:
        ConfigError: It is a probe of another id already.
    """
    own = there.probe_of.get(draft.generated.id)
    if own and own.probe != name:
        raise ConfigError(
            f'Draft {draft.generated.id[:8]} is the probe "{own.probe}" already, and stays it.'
        )
    whence = origin(draft.generated) | {"run": None}  # a probe stands before every run
    new = msgspec.structs.replace(probe(draft.seed(name)), **whence)
    return [*([] if own else [new]), *_reviewed(draft, there, "accepted", reviewer, note)]


def rejected(draft: Draft, there: Known, *, reviewer: str, note: str) -> list[Fact]:
    """The review; nothing where it is on the log.

    Raises:
        ConfigError: It was accepted, and a probe stays.
    """
    if own := there.probe_of.get(draft.generated.id):
        raise ConfigError(
            f'Draft {draft.generated.id[:8]} was accepted as the probe "{own.probe}", which stays'
            " on the log."
        )
    return _reviewed(draft, there, "rejected", reviewer, note)


def _reviewed(draft: Draft, there: Known, verdict: Verdict, reviewer: str, note: str) -> list[Fact]:
    last = there.reviews.get(draft.generated.id)
    if last and (last.verdict, last.reviewer, last.note) == (verdict, reviewer, note):
        return []
    told = Reviewed(
        **origin(draft.generated),
        generation=draft.generated.id,
        phase=PHASE,
        reviewer=reviewer,
        verdict=verdict,
        note=note,
    )
    return [sealed(told)]


def _names(listed: str) -> tuple[str, ...]:
    parts: Sequence[str] = listed.split(";" if ";" in listed else ",")
    return tuple(name for part in parts if (name := part.strip(" \t.*_")))
