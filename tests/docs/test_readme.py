"""The README says what the code does: the table of steps, every command, every command's help."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from streams.cli import program
from streams.topics import STEPS
from tests.lem import PROJECT

README = (PROJECT / "README.md").read_text()


def commands() -> Iterator[tuple[str, Any]]:
    yield from _below(typer.main.get_command(program()), "lem")


def _below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, below in children.items():
        yield from _below(below, f"{name} {child}")


COMMANDS = dict(commands())


def test_the_table_of_steps_is_that_of_the_code() -> None:
    cells = [
        re.split(r"\s*\|\s*", line.strip("| \n")) for line in README.splitlines() if "|" in line
    ]

    assert [list(row[1:]) for row in cells if row[0].isdigit()] == [
        [step.who, step.reads, step.event, step.topic, step.key] for step in STEPS
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert name in README


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    said = COMMANDS[name].help or ""

    assert said.strip()
    assert re.search(rf"Example:\s+{name}", said), said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [p for p in COMMANDS[name].params if p.param_type_name == "option"]

    assert [option.name for option in options if not option.help] == []
