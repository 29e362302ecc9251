"""From what was imported and what was generated: the dataset of every phase of the curriculum."""

import csv
import io
import json
import random
from pathlib import Path

import pytest

from tests.lem import lem, rows
from tests.models import completion, scripted

PHASES = ("0", "1", "2", "3", "4")
SYLLABLES = ("ba", "ko", "ri", "mun", "tel", "sha", "vo", "lin", "der", "pa", "zu", "gre")
SENTENCES = (
    "However, there is a tension between the {a} and the {b}, and {x} feels it in March {n}.",
    "From the {a} keeper's perspective, {x} might say that consent came too late.",
    "On the other hand, one could argue that {y} owes {x} {n} hours at the {b}.",
    "It depends on whether the {a} can be undone, which is a dilemma for {y}.",
    "Imagine a {a} as if it were a {b} that {x} must share with {n} others.",
    "The community around the {b} would ask {y} about dignity and autonomy.",
    "Alternatively, {x} and {y} draw a line like a {a} between what is kept and what is told.",
    "For example, the {b} of {y} lost {n} pages, and stakeholder meetings followed.",
    "What would {x} miss about {y}, who mends the {a} on Sunday?",
    "Those affected by the {a} want transparency, and {y} wants {n} days.",
)


def essay(chance: random.Random) -> str:
    """An answer of more than 300 words that scores high, unlike any other."""
    parts = [
        chance.choice(SENTENCES).format(
            a=word(chance),
            b=word(chance),
            x=word(chance).title(),
            y=word(chance).title(),
            n=chance.randint(2, 999),
        )
        + f" So do {' '.join(word(chance) for _ in range(9))}."
        for _ in range(30)
    ]
    return " ".join(parts)


def word(chance: random.Random) -> str:
    """One that hardly comes twice: who repeats himself scores low."""
    return "".join(chance.choices(SYLLABLES, k=4))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeds, imported answers for every phase, and one answered by a server for every phase."""
    folder = tmp_path_factory.mktemp("phases")
    home, chance = folder / "home", random.Random(2)
    lem(home, "seed")
    for phase in PHASES:
        lem(home, "import", str(imported(folder / f"{phase}.jsonl", chance)), "--phase", phase)
    with scripted(*(completion(essay(chance)) for _ in range(20))) as (url, _):
        for phase in PHASES:
            model = f"openai:{url}#m"
            lem(home, "distill", "--phase", phase, "--model", model, "--limit", "3")
        lem(home, "run", "--until-idle")
    lem(home, "gate")
    review(home, folder / "sheet.csv")
    return home


def imported(path: Path, chance: random.Random) -> Path:
    """Golden rows of an earlier tool, on thirty probes."""
    found = [
        {"idx": n, "seed_id": f"OLD_{path.stem}_{n}", "domain": "old", "voice": "original",
         "prompt": f"What shall become of the {word(chance)} in phase {path.stem}?",
         "response": essay(chance), "gen_time": 1.5, "worker": "w"}
        for n in range(30)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def review(home: Path, sheet: Path) -> None:
    """Accept all that waits for a person, by file."""
    lem(home, "review", "--export", str(sheet), "--reviewer", "ada")
    found = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig"))))
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, found[0].keys())
        writer.writeheader()
        writer.writerows({**row, "verdict": "accepted", "reviewer": "ada"} for row in found)
    lem(home, "review", "--import", str(sheet), "--reviewer", "ada")


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_has_its_dataset(home: Path, tmp_path: Path, phase: str) -> None:
    folder = tmp_path / phase
    done = lem(home, "materialize", "--phase", phase, "--out", str(folder), "--json")
    files = {row["file"].rpartition("/")[2]: row["rows"] for row in rows(done)}
    query = f"select model like 'openai:%' as is_generated from admitted where phase = '{phase}'"
    admitted = rows(lem(home, "sql", query, "--json"))

    total = sum(files[name] for name in ("train.jsonl", "valid.jsonl", "test.jsonl"))
    assert total == len(admitted) > 20
    assert {row["is_generated"] for row in admitted} == {True, False}
    checked = rows(lem(home, "dataset", "verify", str(folder), "--json"))
    assert {row["state"] for row in checked} == {"as made"}


def test_coverage_tells_how_far_each_phase_is(home: Path) -> None:
    told = lem(home, "coverage").stdout

    for phase in PHASES:
        assert f"--phase {phase}" in told or f"phase {phase}" in told
    assert max(map(len, told.splitlines())) <= 200
