"""`lem coverage`: what is thin, and the command that mends it."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from schemas import Probed
from streams.cli import program
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.log.store import EmbeddedStore
from tests.events import (
    MODEL,
    decided,
    deduped,
    generated,
    probed,
    put,
    requested,
    reviewed,
    scored,
    started,
)
from tests.lem import PROJECT, lem, refusal, rows


@pytest.fixture
def phase(settings: Settings) -> Phase:
    return load(Path(settings.curriculum)).phase("4")


@pytest.fixture
def home(settings: Settings) -> Path:
    return settings.home_path


def covered(home: Path, *arguments: str, env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return rows(lem(home, "coverage", "--json", *arguments, env=env))


def of(home: Path, name: str) -> dict[str, Any]:
    (found,) = covered(home, "--phase", name)
    return found


def commands(found: dict[str, Any]) -> list[str]:
    for command, _ in found["next"]:
        understood(command)
    return [command for command, _ in found["next"]]


def understood(typed: str) -> None:
    """Fail where the real program would not take these words."""
    _, *words = shlex.split(typed)
    command: Any = typer.main.get_command(program())
    name = "lem"
    while words and hasattr(command, "resolve_command"):
        context = command.make_context(name, [*words])
        name, command, words = command.resolve_command(context, words)
    command.make_context(name, words)


def test_what_the_program_does_not_know_would_be_seen() -> None:
    with pytest.raises(Exception, match="No such option: --phase"):
        understood("lem draft --phase 4")


class World:
    """Answers of a phase in two domains of a set; each as many as are asked for."""

    def __init__(self, store: EmbeddedStore, phase: Phase, of: str = "synthesis") -> None:
        self._store, self._phase = store, phase
        self._probes: dict[str, Probed] = {}
        self._count = 0
        put(store, started(kernel=None, phase=phase.name))
        for domain, region in (("law", "Sahel"), ("care", None)):
            self._probes[domain] = probed(
                domain, domain=domain, region=region, set=of, language="en"
            )
        put(store, *self._probes.values())

    def asked(self, count: int, domain: str = "law") -> list[Any]:
        numbers = range(self._count, self._count + count)
        self._count += count
        found = [
            requested(self._probes[domain], phase=self._phase.name, sample=number, kernel=None)
            for number in numbers
        ]
        put(self._store, *found)
        return found

    def decided(self, count: int, verdict: str, domain: str = "law", review: str = "") -> None:
        for request in self.asked(count, domain):
            answer = generated(request, response=request.id)
            score = scored(answer, 30.0)
            rule = {"held": "review", "rejected": "whatever", "accepted": ""}[verdict]
            gate = decided(score, verdict, rule=rule, policy=self._phase.policy)
            more = [reviewed(gate, review)] if review else []
            dedup = [] if verdict == "rejected" else [deduped(gate)]
            put(self._store, answer, score, gate, *dedup, *more)


@pytest.fixture
def world(store: EmbeddedStore, phase: Phase) -> World:
    return World(store, phase)


def test_an_empty_log_wants_seeds(home: Path, store: EmbeddedStore) -> None:
    found = covered(home)

    assert [(row["phase"], row["volume"]) for row in found] == [
        ("0", 500),
        ("1", 1500),
        ("2", 1440),
        ("3", 540),
        ("4", 200),
    ]
    assert {command for row in found for command in commands(row)} == {"lem seed"}
    assert all(row["rate"] is None and row["needed"] is None for row in found)


def test_what_was_never_asked_is_planned_first(home: Path, world: World) -> None:
    found = of(home, "4")

    default = Settings().model
    assert commands(found) == [f"lem distill --phase 4 --samples 10 --model {default}"]
    assert (found["probes"], found["rate"], found["missing"]) == (2, None, 200)


def test_needed_requests_follow_from_the_rate(home: Path, world: World) -> None:
    world.decided(6, "accepted")
    world.decided(2, "held", review="accepted")
    world.decided(2, "held", review="rejected", domain="care")
    world.decided(10, "rejected", domain="care")
    world.asked(5)

    found = of(home, "4")

    assert (found["rows"], found["held"], found["waiting"]) == (8, 0, 5)
    assert found["rate"] == pytest.approx(0.4)
    assert found["needed"] == 475  # 192 missing, 2 expected of those under way
    samples = min((25 + 475 + 1) // 2, 30)
    assert commands(found) == [
        "lem run",
        "lem seed FILE.yaml",
        f"lem distill --phase 4 --samples {samples} --model {MODEL}",
    ]


def test_more_probes_are_drafted_where_they_are_thinnest(
    home: Path, store: EmbeddedStore, settings: Settings
) -> None:
    world = World(store, load(Path(settings.curriculum)).phase("2"), "perspectives")
    world.decided(1, "accepted")
    world.decided(9, "rejected")

    *_, drafted, distilled = of(home, "2")["next"]

    # No set of a phase is drafted for that has no probe on the log to be an example.
    assert drafted[0] == (
        f"lem draft --set perspectives --domain 'digital sovereignty' --model {MODEL}"
    )
    assert distilled[0].startswith("lem distill --phase 2 ")
    (home.parent / "answers.jsonl").write_text('{"prompt": "*", "responses": ["No."]}\n')
    lem(home, *shlex.split(drafted[0])[1:], "--dry-run")
    shown = lem(home, "coverage", "--phase", "2").stdout.replace(" \\\n      ", " ")
    assert drafted[0] in shown


def test_what_only_measures_is_no_probe_of_a_phase(home: Path, store: EmbeddedStore) -> None:
    put(store, probed("C1", set="censorship"), probed("P1", set="core"), probed("M1", set="mine"))

    assert of(home, "expansion")["probes"] == 2


def test_what_is_on_hold_says_no_rate_until_it_is_reviewed(home: Path, world: World) -> None:
    world.decided(3, "held")
    world.decided(5, "rejected")

    found = of(home, "4")

    assert (found["rate"], found["needed"]) == (None, None)
    assert commands(found) == ["lem review --phase 4"]
    assert "no rate yet" in lem(home, "coverage", "--phase", "4").stdout


def test_where_nothing_is_accepted_no_number_would_do(home: Path, world: World) -> None:
    world.decided(5, "rejected")

    found = of(home, "4")

    assert (found["rate"], found["needed"]) == (0.0, None)
    assert "nothing was accepted" in lem(home, "coverage", "--phase", "4").stdout


def test_a_group_below_its_fair_share_is_thin(home: Path, world: World) -> None:
    world.decided(3, "accepted", "law")
    world.decided(1, "accepted", "care")

    groups = {(g["by"], g["group"]): g for g in of(home, "4")["groups"]}

    care, law = groups["domain", "care"], groups["domain", "law"]
    assert (care["is_thin"], care["share"], care["fair"], care["missing"]) == (True, 0.25, 0.5, 99)
    assert (law["is_thin"], law["missing"]) == (False, 97)
    assert groups["region", "(none)"]["is_thin"]
    assert not groups["language", "en"]["is_thin"]
    assert [g["group"] for g in covered(home, "--phase", "4", "--by", "domain")] == ["care", "law"]


def test_a_full_phase_is_made_into_a_dataset(home: Path, world: World, tmp_path: Path) -> None:
    world.decided(2, "accepted")
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    found["phases"]["4"]["target"]["examples"] = 2
    path = tmp_path / "curriculum.yaml"
    path.write_text(yaml.safe_dump(found))

    (row,) = covered(home, "--phase", "4", env={"LEM_CURRICULUM": str(path)})

    assert (row["missing"], row["needed"]) == (0, 0)
    assert commands(row) == ["lem materialize --phase 4"]


@pytest.mark.parametrize("by", [(), ("--by", "domain"), ("--by", "region")])
def test_it_fits_a_narrow_terminal(home: Path, world: World, by: tuple[str, ...]) -> None:
    lem(home, "seed")
    world.decided(3, "accepted")
    world.decided(1, "held", "care")

    shown = lem(home, "coverage", *by).stdout

    assert max(map(len, shown.splitlines())) <= 80


def test_a_command_told_over_two_lines_can_be_pasted(home: Path, world: World) -> None:
    shown = lem(home, "coverage", "--phase", "4").stdout

    told = shown[shown.index("$ ") + 2 :].replace("\\\n", " ").splitlines()[0].split()
    assert told == [
        "lem",
        "distill",
        "--phase",
        "4",
        "--samples",
        "10",
        "--model",
        Settings().model,
    ]


def test_every_command_told_for_an_empty_project_runs(home: Path) -> None:
    lem(home, "seed")

    for row in covered(home):
        (command,) = commands(row)
        lem(home, *command.split()[1:], "--dry-run")


def test_an_unknown_phase_is_refused(home: Path, world: World) -> None:
    assert 'No phase "9"' in refusal(home, "coverage", "--phase", "9")
