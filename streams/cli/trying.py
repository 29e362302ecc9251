"""What `lem gate --try` reads and shows."""

import sys
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from streams.cli.shown import json_lines, table
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.compare.trial import Moved, Trial
    from streams.curriculum import Curriculum, Gate
    from streams.log.door import Store
    from streams.replay import Views

_NEAREST = 3  # of each way; --json tells all


def changed(gate: "Gate", changes: Sequence[str]) -> "Gate":
    """The gate with some of its fields said anew, each as FIELD=VALUE in YAML.

    Raises:
        ConfigError: One is not written so, no gate has the field, or the value can't be used.
    """
    import msgspec
    import yaml

    from streams.seeds import LOADER

    fields = msgspec.structs.asdict(gate)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name not in fields:
            raise ConfigError(
                f"--try {change} names no field of a gate; write FIELD=VALUE with one of"
                f" {', '.join(fields)}."
            )
        try:
            fields[name] = LOADER(value).get_single_data()
        except (ValueError, yaml.YAMLError) as error:
            what = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise ConfigError(f"--try {change} has no value in YAML: {what}.") from error
    try:
        return msgspec.convert(fields, type(gate))
    except msgspec.ValidationError as error:
        raise ConfigError(f"--try {' --try '.join(changes)}: {error}.") from error


def show(
    store: "Store",
    views: "Views",
    curriculum: "Curriculum",
    phase: str,
    changes: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print what a phase would decide with a changed gate."""
    from agents.compare.trial import moved, tried

    now = curriculum.phase(phase)
    then = changed(now.gate, changes)
    found = tried(store, views, now, then, held_out=curriculum.held_out)
    for label, count in found.lacking.items():
        said = f"{count:,} generations have no score by {label} and are left out;"
        print(f"{said} `lem rescore --scorer {label}` gives it.", file=sys.stderr)
    rows = list(moved(views, now, then))
    if as_json:
        _print_json(found, rows)
    else:
        _print(found, rows)


def _print_json(found: "Trial", rows: "Sequence[Moved]") -> None:
    from msgspec.structs import asdict

    head = {key: value for key, value in asdict(found).items() if key not in ("verdicts", "rules")}
    json_lines([{"type": "trial", **head}])
    json_lines({"type": "verdict", **asdict(each)} for each in found.verdicts)
    json_lines({"type": "rule", **asdict(each)} for each in found.rules)
    json_lines({"type": "row", **asdict(row)} for row in rows)


def _print(found: "Trial", rows: "Sequence[Moved]") -> None:
    from msgspec.structs import asdict

    print(f"Phase {found.phase}, {found.generations:,} generations. Nothing is written.\n")
    for kind in ("verdict", "rule"):
        told = found.verdicts if kind == "verdict" else found.rules
        table([{kind: each.name, "now": each.now, "then": each.then} for each in told])
    for enters, count in ((True, found.enter), (False, found.leave)):
        way = "enter" if enters else "leave"
        some = islice((row for row in rows if row.enters is enters), _NEAREST)
        nearest = [_named(asdict(row)) for row in some]
        print(f"{count:,} rows {way}{'; the nearest:' if nearest else '.'}")
        if nearest:
            table(nearest)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("generation", "now", "then", "rules", "words")} | {
        "generation": row["generation"][:8]
    }
