"""A rephrasing frames a prompt and changes nothing in it."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from agents.rephrasings import rephrasings
from schemas.probe import RephrasingKind
from streams.seeds import Seed, read

ROOT = Path(__file__).resolve().parents[3]
SEEDS, _ = read(ROOT / "seeds")


def test_a_probe_has_one_rephrasing_of_each_kind() -> None:
    found = rephrasings("P01_X", "Why?")

    assert [kind for kind, _, _ in found] == list(get_args(RephrasingKind))
    assert [probe for _, probe, _ in found] == ["P01_X_R_PERS", "P01_X_R_URGE", "P01_X_R_CULT"]


def test_a_hundred_and_one_probes_give_three_hundred_and_three_rephrasings() -> None:
    ids = {probe for n in range(101) for _, probe, _ in rephrasings(f"P{n}", "Why?")}

    assert len(ids) == 303


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.id)
def test_the_prompt_stands_unchanged_at_the_end_of_a_rephrasing(seed: Seed) -> None:
    prompts = [prompt for _, _, prompt in rephrasings(seed.id, seed.prompt)]

    assert all(prompt.endswith("\n\n" + seed.prompt) for prompt in prompts)
    assert len(set(prompts)) == 3


def test_braces_in_a_prompt_are_left_alone() -> None:
    prompt = "Fill {prompt} and {0} in {{this}}."

    assert all(new.endswith("\n\n" + prompt) for _, _, new in rephrasings("P1", prompt))


def test_every_kind_uses_all_of_its_three_wordings() -> None:
    found = {(kind, new) for n in range(60) for kind, _, new in rephrasings(f"P{n}", "Why?")}

    assert len(found) == 9


def test_another_process_rephrases_in_the_same_way() -> None:
    code = "from agents.rephrasings import rephrasings; print(rephrasings('P07_A', 'Why?'))"
    command = [sys.executable, "-c", code]
    there = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert there.stdout.strip() == str(rephrasings("P07_A", "Why?"))
