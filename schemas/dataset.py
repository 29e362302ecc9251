"""A phase's dataset was materialized."""

from typing import ClassVar

import msgspec

from schemas.base import Fact


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a dataset."""

    name: str
    """Relative to the dataset's folder, as `train.jsonl`."""

    rows: int
    """How many rows it holds."""

    sha256: str
    """Over its bytes."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a partition of the log was read."""

    topic: str
    """The topic's name."""

    partition: int
    """From 0."""

    end: int
    """The first offset that was not read."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something that every row was held against before the dataset was written."""

    name: str
    """As `kernel_leak`."""

    over: str
    """What they were held against, for a person."""

    digest: str
    """SHA-256 over what they were held against."""

    rows: int
    """How many rows were looked at."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that was admitted, but may not be in the dataset."""

    generation: str
    """Its id."""

    rule: str
    """The check that it did not pass."""

    reason: str
    """A sentence for a person."""


class Materialized(Fact, frozen=True, kw_only=True, tag="materialized"):
    """The manifest of a dataset: what it holds and what it was made from.

    Its id follows from phase, policy and the files' bytes; made again from a longer log with
    the same outcome, it is the same dataset.
    """

    identity: ClassVar[tuple[str, ...]] = ("phase", "policy", "scorer", "files")

    phase: str
    """The curriculum phase."""

    policy: str
    """The digest of the policy that admitted the rows."""

    scorer: str
    """The scorer version of that policy."""

    files: tuple[File, ...]
    """The files with the rows as JSON, in the order of their names."""

    positions: tuple[Position, ...]
    """The log as it was read; reading so far again gives the same bytes."""

    generations: tuple[str, ...] = ()
    """The ids of the generations that became rows, in the order of the rows: file after file."""

    copies: tuple[File, ...] = ()
    """The same rows as Parquet, and the card. No part of the id: another version of the library
    that writes Parquet writes other bytes."""

    checks: tuple[Check, ...] = ()
    """What every row passed."""

    refused: tuple[Refused, ...] = ()
    """What a check has kept out."""

    recipe: str | None = None
    """What it was made by, as JSON (`agents.dataset.recipe`); none of old, and then it can't be
    made again as it was."""
