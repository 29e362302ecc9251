"""Vetting: whether seeds are what the curriculum binds their sets to, and each one new.

Every fault is told, not only the first. Nothing is written, and seeding does not depend on it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from agents.likeness import pairs, runs
from agents.rephrasings import SUFFIXES, lead_ins
from streams.seeds import Seed, each, files_of, read
from streams.sets import ProbeSet

Rule = Literal[
    "file", "id", "domain", "language", "stakeholders", "near-duplicate", "lead-in", "least"
]

# Language, script, region, variants, extensions, private use; no tag that was grandfathered.
_TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*"
    r"(-[a-wy-z\d](-[a-z\d]{2,8})+)*(-x(-[a-z\d]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)


_PLACE = re.compile(r"(:\d+|\[\d+\])$")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, where, and what to do."""

    place: str
    """As `seeds/core.yaml:41`; for what no single seed lacks, its file."""

    rule: Rule
    """What was broken."""

    says: str
    """The whole sentence, with the place."""

    set: str | None = None
    """The probe set; none where the file can't be read."""

    probe: str | None = None
    """The probe's id; none where it is no single one's fault."""


class Broken(NamedTuple):
    """A rule that a probe breaks by itself, and how: a sentence without its subject."""

    rule: Rule
    says: str


def vetted(paths: Iterable[Path], sets: Mapping[str, ProbeSet]) -> tuple[list[Seed], list[Fault]]:
    """Read seed files and tell every fault of theirs, by place.

    Args:
        paths: Files or folders; what they hold is held against each other, too.
        sets: What binds each set.
    """
    seeds: list[Seed] = []
    faults: list[Fault] = []
    for file in (file for path in paths for file in files_of(path)):
        for found in each(file):
            if isinstance(found, Seed):
                seeds.append(found)
            else:
                faults.append(Fault(place=str(file), rule="file", says=found))
    for seed in seeds:
        faults += (_fault(seed, *wrong) for wrong in broken(seed, sets.get(seed.set)))
    return seeds, [*faults, *_repeats(seeds), *_alike(seeds), *_too_few(seeds, sets)]


def unfit(paths: Iterable[Path], sets: Mapping[str, ProbeSet]) -> tuple[int, str | None]:
    """How many seeds break a rule of their set by themselves, and what the first one breaks."""
    found = (seed for path in paths for seed in read(path)[0])
    faults = [_fault(seed, *wrong) for seed in found for wrong in broken(seed, sets.get(seed.set))]
    return len({fault.place for fault in faults}), faults[0].says if faults else None


def broken(seed: Seed, bound: ProbeSet | None) -> Iterator[Broken]:
    """What is wrong with one seed, whatever else there is; a set that is not bound binds little."""
    if seed.id.endswith(SUFFIXES):
        yield Broken("id", f'has the id "{seed.id}", which ends like a rephrasing\'s; change it.')
    if bound is None:
        return
    if seed.domain not in bound.domains:
        yield Broken("domain", _unknown(seed, bound.domains))
    if bound.language == "required" and not seed.is_tagged:
        yield Broken("language", "does not say its language; write `language: en`, or another tag.")
    elif not _TAG.fullmatch(seed.language):
        yield Broken(
            "language",
            f'has the language "{seed.language}", which is no BCP 47 tag; write one, as en, pt-BR'
            " or zh-Hant.",
        )
    if bound.stakeholders:
        yield from (Broken("stakeholders", says) for says in _people(seed, *bound.stakeholders))


def _unknown(seed: Seed, domains: Sequence[str]) -> str:
    close = get_close_matches(seed.domain, domains, n=1)
    what = f'is "{close[0]}" meant?' if close else f"there are {', '.join(domains)}."
    return f'has the domain "{seed.domain}", which the set "{seed.set}" does not know; {what}'


def _people(seed: Seed, least: int, most: int) -> Iterator[str]:
    names = seed.stakeholders
    if not least <= len(names) <= most:
        yield f"lists {len(names)} stakeholders; list {least} to {most}, named as in the prompt."
    if len({name.casefold() for name in names}) < len(names):
        yield "lists a stakeholder twice; name each once."
    for name in names:
        # Whole words: Ann does not stand in "Anna".
        if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", seed.prompt, re.IGNORECASE):
            yield f'lists "{name}", who does not stand in the prompt under that name; use one name.'


def _repeats(seeds: Sequence[Seed]) -> Iterator[Fault]:
    first: dict[str, Seed] = {}
    for seed in seeds:
        if (other := first.setdefault(seed.id, seed)) is not seed:
            says = f'has the id "{seed.id}", as {other.place} has; give it one of its own.'
            yield _fault(seed, "id", says)


def _alike(seeds: Sequence[Seed]) -> Iterator[Fault]:
    leads = lead_ins()
    texts = [*leads, *(seed.prompt for seed in seeds)]
    for one, other, share in pairs([runs(text) for text in texts]):
        if other < len(leads):
            continue
        seed = seeds[other - len(leads)]
        if one < len(leads):
            says = f'is worded like a lead-in of rephrasings, "{texts[one][:40]}…"; reword it.'
            yield _fault(seed, "lead-in", says)
        elif (twin := seeds[one - len(leads)]) and not _one_scenario(seed, twin):
            says = (
                f"shares {share:.0%} of its runs of five words with {twin.id} at {twin.place};"
                " reword one of them, or take it out."
            )
            yield _fault(seed, "near-duplicate", says)


def _one_scenario(one: Seed, other: Seed) -> bool:
    """Whether they are voices of one scenario, or the same probe twice, which is told as that."""
    return (one.voice_of or one.id) == (other.voice_of or other.id)


def _too_few(seeds: Sequence[Seed], sets: Mapping[str, ProbeSet]) -> Iterator[Fault]:
    for name in dict.fromkeys(seed.set for seed in seeds):
        found = [seed for seed in seeds if seed.set == name]
        bound = sets.get(name)
        for domain in bound.domains if bound and bound.least else ():
            count = sum(seed.domain == domain for seed in found)
            if bound and bound.least and count < bound.least:
                place = _PLACE.sub("", found[0].place)
                says = f'{place} has {count} probes of "{domain}"; {bound.least} is the least.'
                yield Fault(place=place, rule="least", says=says, set=name)


def _fault(seed: Seed, rule: Rule, says: str) -> Fault:
    said = f"{seed.place} {says}"
    return Fault(place=seed.place, rule=rule, says=said, set=seed.set, probe=seed.id)
