"""A dataset's card, as the Hub shows it: what is in it, by which rules, how it was made.

It follows from the rows and the phase alone, so that the same dataset has the same card.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from statistics import quantiles
from typing import Any

import msgspec
import yaml

from agents.dataset.files import PARQUET
from agents.dataset.tally import Tally
from schemas import Materialized
from streams.curriculum import Gate, Phase

NAME = "README.md"

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
_SPLITS = {"train": "train", "valid": "validation", "test": "test"}
"""Ours and the Hub's."""
_MOST_SHOWN = 60  # values of a column
_TITLES = {"domain": "Domains", "language": "Languages", "model": "Models", "variant": "Prompts"}


def card(made: Materialized, phase: Phase, tally: Tally) -> str:
    """The text of README.md: YAML for the Hub, then Markdown for people."""
    front = yaml.safe_dump(_front(made, phase, tally), sort_keys=False, allow_unicode=True)
    parts = (
        f"---\n{front}---",
        f"# {phase.title} (phase {phase.name})",
        f"{phase.purpose} Dataset `{made.id}`, made by LEM from a log of events.",
        _splits(made, tally),
        *(_counts(tally, column) for column in _TITLES),
        "## What was let in\n\n" + "\n".join(f"* {rule}" for rule in _rules(made, phase)),
        "## What was checked\n\n"
        + "\n".join(f"* `{c.name}`: {c.rows:,} rows against {c.over}." for c in made.checks)
        + _refused(made),
        _making(made),
    )
    return "\n\n".join(parts) + "\n"


def _refused(made: Materialized) -> str:
    if not made.refused:
        return ""
    lines = [f"* `{each.generation[:8]}`, {each.rule}: {each.reason}" for each in made.refused]
    return "\n\nLeft out by these, though the gate had let them in:\n\n" + "\n".join(lines)


def _front(made: Materialized, phase: Phase, tally: Tally) -> dict[str, Any]:
    rows = {file.name.partition(".")[0]: file.rows for file in made.files}
    total = sum(rows.values())
    languages = sorted({tag.partition("-")[0] for tag, _ in tally.rows["language"] if tag})
    files = [
        {"split": theirs, "path": PARQUET[ours]} for ours, theirs in _SPLITS.items() if rows[ours]
    ]
    return {
        "pretty_name": f"{phase.title} (phase {phase.name})",
        "license": "eupl-1.2",
        **({"language": languages} if languages else {}),
        "task_categories": ["text-generation"],
        "tags": ["ethics", "sft", "synthetic", "lem"],
        "size_categories": [next((name for most, name in _SIZES if total < most), "100K<n<1M")],
        "configs": [{"config_name": "default", "data_files": files}],
    }


def _splits(made: Materialized, tally: Tally) -> str:
    """Rows, words and scores of each split."""
    rows = {file.name.partition(".")[0]: file.rows for file in made.files}
    lines = [
        (
            split,
            f"{rows[split]:,}",
            f"{len(tally.originals.get(split, ())):,}",
            _spread(tally.words.get(split, ())),
            _spread(tally.scores.get(split, ()), digits=2),
            f"{fsum(scores) / len(scores):.2f}" if (scores := tally.scores.get(split)) else "-",
        )
        for split in _SPLITS
    ]
    head = ("split", "rows", "original probes", "words", "score", "mean score")
    said = "Words and scores: least, first quartile, median, third quartile, most."
    return f"## Rows\n\n{_table(head, lines)}\n\n{said}"


def _spread(values: Sequence[float], digits: int = 0) -> str:
    """Least, quartiles and most."""
    if not values:
        return "-"
    inner = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return " / ".join(f"{each:,.{digits}f}" for each in (min(values), *inner, max(values)))


def _counts(tally: Tally, column: str) -> str:
    """How many rows each value of a column has in each split, the most frequent first."""
    found = tally.rows[column]
    totals: dict[str, int] = {}
    for (value, _), count in found.items():
        totals[value] = totals.get(value, 0) + count
    ordered = sorted(totals, key=lambda value: (-totals[value], value))
    lines = [
        (value or "(not known)", *(f"{found[value, split]:,}" for split in _SPLITS))
        for value in ordered[:_MOST_SHOWN]
    ]
    more = f"\n\n… and {len(ordered) - _MOST_SHOWN} more." if len(ordered) > _MOST_SHOWN else ""
    return f"## {_TITLES[column]}\n\n{_table((column, *_SPLITS), lines)}{more}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] + ["---:"] * (len(head) - 1), *lines]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows)


def _cell(text: str) -> str:
    """A value that can't break the table it stands in."""
    return " ".join(text.replace("|", "\\|").split())


def _rules(made: Materialized, phase: Phase) -> list[str]:
    gate = phase.gate
    rules = [
        _threshold(gate),
        f"The generation ended as {' or '.join(gate.outcomes)}.",
        f"It does not repeat {gate.leak_words} words in a row of the kernel that was its prompt's"
        " company; the kernel is in no row.",
        *_bounds(gate),
        _duplicates(gate),
        f"People read {100 * gate.review_share:g} % of what passes, drawn by a hash of the id, and"
        " a row that they have not accepted is left out.",
        f"Original probes are divided {phase.split.train} : {phase.split.valid} :"
        f" {phase.split.test} into train, valid and test by a hash of the id, each with all its"
        " rephrasings, so that none ever moves; a domain has these shares on average only.",
    ]
    if phase.mix:
        bounds = ", ".join(f"{model} {100 * share:g} %" for model, share in phase.mix.items())
        rules.append(f"Of all rows a model has at most: {bounds}; its best ones are kept.")
    if phase.rephrasings_per_example:
        count = phase.rephrasings_per_example
        rules.append(
            f"The answer to an original also stands under the prompts of up to {count} of its"
            " rephrasings; `variant` says which."
        )
    data = msgspec.json.encode(gate, order="deterministic").decode()
    return [*rules, f"The gate as data: `{data}`. Its digest: `{made.policy}`."]


def _bounds(gate: Gate) -> Iterator[str]:
    """The rules that a phase may leave out."""
    if gate.words:
        yield f"It has {gate.words[0]:,} to {gate.words[1]:,} words."
    if gate.languages:
        yield f"It is written in {' or '.join(gate.languages)}; texts too short to tell pass."
    if not gate.names_axioms:
        yield "It cites no axiom."
    if gate.best:
        yield f"Of each prompt the best {gate.best} by score are kept, then by id."


def _duplicates(gate: Gate) -> str:
    bound, words = gate.duplicate.similarity, gate.duplicate.words
    near = f", or share {100 * bound:g} % of their runs of {words} words," if bound else ""
    return (
        f"Of responses that are equal but for case, width and blanks{near} the one with the higher"
        " score stays, then the one with the smaller id."
    )


def _threshold(gate: Gate) -> str:
    if gate.threshold is None:
        return f"The score by {gate.scorer} is told, and is no rule."
    return f"The score by {gate.scorer} is at least {gate.threshold:g}."


def _making(made: Materialized) -> str:
    hashes = "\n".join(f"{file.sha256}  {file.name}" for file in made.files)
    return f"""## How it was made, and how to verify it

Probes were asked of models, answers scored and decided on, each step an event on a log. The rows
are computed from the log; `manifest.json` holds how far it was read, the whole phase as data, the
digest of what defines {made.scorer}, the id of each row's generation, and the SHA-256 of each file.
Whoever has the log makes the same bytes again:

    lem dataset verify FOLDER

Without the log, `sha256sum` should say of the rows:

    {hashes.replace(chr(10), chr(10) + "    ")}

`train.jsonl`, `valid.jsonl` and `test.jsonl` are for `mlx_lm.lora --data FOLDER`; the files in
`data/` hold the same rows, and a column `metadata` with JSON."""
