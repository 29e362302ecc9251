"""The definitions that are files of ours."""

from pathlib import Path

from agents.scorers.definition import load

TABLES = Path(__file__).parents[3] / "agents" / "scorers" / "tables"
DEFINITIONS = [load(path) for path in sorted(TABLES.glob("*.yaml"))]
