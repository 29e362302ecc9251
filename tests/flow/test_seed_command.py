"""`lem seed --check` tells all and writes nothing; `lem seed` warns and goes on."""

import json
from pathlib import Path

import pytest

from tests.lem import events, lem, rows

BAD = {"id": "A1", "domain": "no such", "language": "en", "prompt": "Choose now, A or B?"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def unfit(tmp_path: Path) -> str:
    path = tmp_path / "adversarial.json"
    path.write_text(json.dumps([BAD, {"id": "A2"}]))
    return str(path)


def test_the_check_of_our_own_seeds_finds_nothing_and_writes_nothing(home: Path) -> None:
    assert lem(home, "seed", "--check").stdout.endswith("sets, nothing wrong with them.\n")
    assert rows(lem(home, "seed", "--check", "--json")) == []
    assert not home.exists()


def test_each_fault_is_a_line_and_the_exit_code_is_1(home: Path, unfit: str) -> None:
    said = lem(home, "seed", "--check", unfit, status=1).stdout.splitlines()
    found = rows(lem(home, "seed", "--check", unfit, "--json", status=1))

    assert said[-1] == f"1 seeds of 1 sets, {len(said) - 1} faults."
    assert said[:-1] == [row["says"] for row in found]
    assert [row["rule"] for row in found] == ["file", "domain", *["least"] * 9]
    assert found[1] == {
        "place": f"{unfit}[0]",
        "rule": "domain",
        "says": found[1]["says"],
        "set": "adversarial",
        "probe": "A1",
    }
    assert not home.exists()


def test_seeding_warns_of_what_a_set_does_not_know_and_takes_it(home: Path, unfit: str) -> None:
    Path(unfit).write_text(json.dumps([BAD]))

    done = lem(home, "seed", unfit)

    assert done.stderr.startswith(
        "1 of these probes are not what their set asks for."
        f' The first: {unfit}[0] has the domain "no such"'
    )
    assert len(events(home, "probes")) == 1


def test_seeding_our_own_warns_of_nothing(home: Path) -> None:
    assert lem(home, "seed").stderr == ""
