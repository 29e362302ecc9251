"""`lem review --export` and `--import`: reviews by file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from streams.cli.context import viewed
from streams.cli.shown import harmless, near

if TYPE_CHECKING:
    from agents.reviewing.queue import Case
    from streams.config import Settings
    from streams.log.door import Store


def export(store: "Store", cases: "list[Case]", path: Path) -> None:
    """Write what waits to a file, for its `verdict` and `note` to be filled in."""
    from agents.reviewing.sheet import write

    count = write(path, _rows(store, cases))
    print(f"{count} to review in {near(path)}: fill in `verdict` (accepted, rejected) and `note`,")
    print(f"then `lem review --import {near(path)}`.")


def import_(store: "Store", found: "Settings", by: str, path: Path) -> None:
    """Write the verdicts of a file to the log; bad rows are told and cost no other."""
    from agents.reviewing.saying import Reviews
    from agents.reviewing.sheet import read
    from agents.reviewing.taking import taken

    reviews = Reviews(store)
    with viewed(store, found) as views:
        sheet = taken(views, reviews, read(path), by)
    reviews.say(*sheet.reviews)
    for line, told in sheet.told:
        print(f"{path}:{line}: {harmless(told)}", file=sys.stderr)
    for line, why in sheet.bad:
        print(f"{path}:{line}: {harmless(why)}", file=sys.stderr)
    print(f"{len(sheet.reviews)} new reviews, {sheet.known} known, {len(sheet.bad)} bad rows.")
    if sheet.bad:
        raise typer.Exit(1)


def _rows(store: "Store", cases: "list[Case]") -> Iterator[dict[str, Any]]:
    from schemas import Generated
    from streams.envelope import found

    for case in cases:
        generated = found(store, case.generation, Generated, by="The queue")
        yield {
            "generation": case.generation,
            "verdict": "",
            "reviewer": "",  # whoever fills it in; else who imports it
            "note": "",
            "phase": case.phase,
            "probe": case.probe,
            "model": case.model,
            "scores": "  ".join(f"{name} {score:.2f}" for name, score in case.scores.items()),
            "why": ": ".join(part for part in (case.rule, case.reason) if part),
            "prompt": generated.prompt,
            "response": generated.response,
        }
