"""The published answers, where they are at hand: text for tests, not part of the project."""

import json
from pathlib import Path
from typing import Any

from agents.scorers.base import Text
from tests.conftest import SHARED

DATA = SHARED / "data" / "lem"


def real() -> list[Text]:
    paths = sorted((DATA / "benchmarks" / "results").glob("*.jsonl"))
    answers = [row["response"] for path in paths for row in _rows(path)]
    taught = [row["messages"][-1]["content"] for row in _rows(DATA / "training" / "valid.jsonl")]
    return [Text(response) for response in answers + taught]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
