"""Ids by content: the same fact has the same id on every machine and at every replay."""

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from schemas.base import Fact

F = TypeVar("F", bound=Fact)

_canonical = msgspec.json.Encoder(order="deterministic").encode


def digest(content: object) -> str:
    """SHA-256 over the canonical JSON of `content`: sorted keys, no blanks, UTF-8."""
    return hashlib.sha256(_canonical(content)).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 over the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of(event: Fact) -> str:
    """The id that this event's content gives it: 32 hexadecimal digits.

    Half of a SHA-256: with 10^9 events the chance of two alike is below 10^-20.
    """
    return named(type(event), *(getattr(event, name) for name in event.identity))


def named(kind: type[Fact], *asked: object) -> str:
    """The id of an event of this kind whose `identity` fields hold these values, in order."""
    return digest([kind.__struct_config__.tag, *asked])[:32]


def sealed(event: F) -> F:
    """The same event with the id that its content gives it."""
    return msgspec.structs.replace(event, id=of(event))


def run_id(kind: str, phase: str, *asked: object) -> str:
    """A run's id, short enough to type: `distill-1-3fa9c2d18e04`.

    It names what is asked of whom; the same question opens the same run.
    """
    return f"{kind}-{phase}-{digest([kind, phase, *asked])[:12]}"


def seed(event_id: str) -> int:
    """The sampling seed of a request: 31 bits of its id, which every back end takes."""
    return int(event_id[:8], 16) >> 1
