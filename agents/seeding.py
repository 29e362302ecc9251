"""Seeding: the seeds of a file become probes on the log, each id with one prompt for ever."""

from collections.abc import Iterable
from pathlib import Path

from agents.rephrasings import SUFFIXES
from schemas import Probed
from streams.envelope import draft, events
from streams.errors import ConfigError
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.seeds import Seed, read
from streams.topics import PROBES

Counts = list[dict[str, str | int]]


def told(store: Store, paths: Iterable[Path]) -> tuple[Counts, list[str]]:
    """Append the seeds of these files; how many by set, and what could not be used and why."""
    known = {probed.probe: probed for probed in probes(store)}
    counts: dict[str, dict[str, str | int]] = {}
    errors: list[str] = []
    new: list[Probed] = []
    for path in paths:
        if not path.exists():
            raise ConfigError(f"There is no {path}; name a seed file or a folder of them.")
        seeds, refused = read(path)
        errors += refused
        for seed in seeds:
            count = counts.setdefault(seed.set, {"set": seed.set, "new": 0, "there": 0})
            if seed.id.endswith(SUFFIXES):
                errors.append(f'{seed.place}: id "{seed.id}" ends like a rephrasing\'s; change it.')
                continue
            probed = probe(seed)
            other = known.setdefault(probed.probe, probed)
            if other is probed:
                new.append(probed)
            elif other.id != probed.id or other.set != probed.set:
                errors.append(_conflict(seed, other))
                continue
            kind = "new" if other is probed else "there"
            count[kind] = int(count[kind]) + 1
    store.append([draft(probed) for probed in new])
    return list(counts.values()), errors


def probe(seed: Seed) -> Probed:
    """The event of a seed."""
    return sealed(
        Probed(
            **origin(),
            probe=seed.id,
            prompt=seed.prompt,
            domain=seed.domain,
            set=seed.set,
            language=seed.language,
            rephrasing_of=seed.voice_of,
            kind="perspective" if seed.voice_of else None,
            voice=seed.voice,
            region=seed.region,
        )
    )


def probes(store: Store) -> Iterable[Probed]:
    """Every probe on the log, rephrasings too."""
    return (each for each in events(store, PROBES.name) if isinstance(each, Probed))


def _conflict(seed: Seed, other: Probed) -> str:
    differing = "prompt" if seed.prompt != other.prompt else "domain or language"
    if seed.set != other.set:
        return (
            f'{seed.place}: probe "{seed.id}" is on the log in the set "{other.set}"'
            f" (event {other.id[:8]}), where it stays; a probe is in one set."
        )
    return (
        f'{seed.place}: probe "{seed.id}" is on the log with another {differing}'
        f" (event {other.id[:8]}); give the new one an id of its own."
    )
