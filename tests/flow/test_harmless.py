"""No text of a model, a server or a person commands the terminal that shows it."""

from pathlib import Path

import pytest

from streams.cli.shown import cell, harmless
from streams.config import Settings
from streams.curriculum import load
from streams.log.store import EmbeddedStore
from tests.events import (
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
from tests.lem import lem, refusal

EVIL = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202egone \x7f"
BAD = frozenset(EVIL) - frozenset("[2J]0;owned 31mg")


@pytest.fixture
def home(settings: Settings) -> Path:
    return settings.home_path


def shown(home: Path, *arguments: str) -> str:
    output = lem(home, *arguments).stdout
    assert not BAD & frozenset(output)
    return output


def test_a_text_keeps_its_length_and_its_lines() -> None:
    assert harmless(f"{EVIL}\n\tx") == cell(f"{EVIL}\n\tx")
    assert len(harmless(EVIL)) == len(EVIL)
    assert harmless("Zwei\n\tZeilen, שלום 👩‍🚀") == "Zwei\n\tZeilen, שלום 👩‍🚀"


def test_a_story_and_a_trial(home: Path, store: EmbeddedStore, settings: Settings) -> None:
    phase = load(Path(settings.curriculum)).phase("1")
    answer = generated(requested(probed("P1")), response=f"{EVIL} said.")
    score = scored(answer, 70.0)
    gate = decided(score, policy=phase.policy)
    note = reviewed(gate, "rejected", note=f"{EVIL} refused.", reviewer="ada")
    put(store, started(kernel=None), probed("P1"), answer, score, gate, deduped(gate), note)
    tries = [part for change in ("words=null", "review_share=0") for part in ("--try", change)]

    assert "refused." in shown(home, "explain", answer.id)
    assert "refused." in shown(home, "sql", "select reason from verdicts")
    assert "0 rows enter." in shown(home, "gate", "--phase", "1", *tries)
    put(store, reviewed(gate, "withdrawn", reviewer="ada"))
    assert "said." in shown(home, "gate", "--phase", "1", *tries)


def test_a_draft(home: Path, store: EmbeddedStore) -> None:
    asked = requested(probed("draft/perspectives/en/0/education"), phase="draft")
    put(store, asked, generated(asked, response=f"{EVIL} said.\nStakeholders: {EVIL} Petra"))

    output = shown(home, "draft", "list")

    assert "said." in output
    assert "Petra" in output


def test_an_error(home: Path, store: EmbeddedStore) -> None:
    assert not BAD & frozenset(refusal(home, "coverage", "--phase", EVIL))
