"""A log with decided generations, and the datasets that are made from it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from agents.dataset.recipe import now
from agents.materialize import materialize
from schemas import Materialized
from schemas.base import Fact
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS
from tests.events import (
    MODEL,
    decided,
    deduped,
    generated,
    probed,
    put,
    requested,
    scored,
    started,
)
from tests.lem import PROJECT

CURRICULUM = PROJECT / "seeds" / "curriculum.yaml"


def phase(name: str = "1", **fields: Any) -> Phase:
    """A phase of our curriculum, with other values for some of its fields."""
    found = load(CURRICULUM).phase(name)
    gate = {field: fields.pop(field) for field in ("threshold", "leak_words") if field in fields}
    return msgspec.structs.replace(
        found, **fields, gate=msgspec.structs.replace(found.gate, **gate)
    )


@contextmanager
def store_in(home: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(Settings(home=str(home)).log_path)
    try:
        for topic in TOPICS:
            store.declare(topic, 1)
        yield store
    finally:
        store.close()


def answered(
    under: Phase,
    probe: str = "P01",
    *,
    original: str | None = None,
    domain: str = "ethics",
    score: float = 30.0,
    sample: int = 0,
    response: str = "",
    model: str = MODEL,
    prompt: str = "",
) -> list[Fact]:
    """A probe, an answer to it, and every decision that the phase's policy needs."""
    kind = "perspective" if original else None
    told = probed(
        probe,
        prompt or f"What is fair here, {probe}?",
        domain=domain,
        rephrasing_of=original,
        kind=kind,
    )
    asked = requested(told, sample=sample, model=model)
    answer = generated(asked, response=response or f" Answer {sample} to {probe} by {model}.\n")
    found = scored(answer, score)
    passes = under.gate.threshold is None or score >= under.gate.threshold
    gate = decided(
        found,
        "accepted" if passes else "rejected",
        rule="" if passes else "threshold",
        policy=under.policy,
    )
    return [told, asked, answer, found, gate, *([deduped(gate)] if passes else [])]


def fill(store: EmbeddedStore, answers: Iterable[list[Fact]]) -> None:
    put(store, started(), *(fact for facts in answers for fact in facts))


def made(store: EmbeddedStore, home: Path, under: Phase) -> tuple[Materialized, Path]:
    """The dataset of now, also as an event on the log."""
    told, folder = materialize(store, home, now(under))
    put(store, told)
    return told, folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each split as JSON."""
    return {
        path.stem: [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
        for path in sorted(folder.glob("*.jsonl"))
    }
