"""`lem explain`: what led to an event, what came of it, and why it is in a dataset or not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from schemas import Decided, Generated, Probed, Requested, Scored, Started
from schemas.base import Fact
from streams.cli.explain import explain
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.envelope import draft
from streams.errors import ConfigError, LogError
from streams.log.store import EmbeddedStore
from tests.events import (
    decided,
    deduped,
    generated,
    materialized,
    probed,
    put,
    requested,
    reviewed,
    scored,
    started,
)

app = typer.Typer()
app.command()(explain)


class Story:
    """One probe, asked once in a run, answered, scored and decided on."""

    def __init__(self, phase: Phase, verdict: str = "accepted", *, probe: str = "P01") -> None:
        rule = "" if verdict == "accepted" else "threshold"
        self.probe: Probed = probed(probe)
        self.run: Started = started("distill-demo-aa", phase=phase.name)
        self.request: Requested = requested(self.probe, run=self.run.run or "", phase=phase.name)
        self.generation: Generated = generated(self.request, response=f"Said of {probe}.")
        self.score: Scored = scored(self.generation, 17.5, scorer=phase.gate.scorer)
        self.gate: Decided = decided(self.score, verdict, rule=rule, policy=phase.policy)

    @property
    def events(self) -> list[Fact]:
        return [self.probe, self.run, self.request, self.generation, self.score, self.gate]


@pytest.fixture
def phase(settings: Settings) -> Phase:
    return load(Path(settings.curriculum)).phase("demo")


@pytest.fixture
def story(store: EmbeddedStore, phase: Phase) -> Story:
    told = Story(phase)
    put(store, *told.events, deduped(told.gate))
    return told


def run(event: Fact | str) -> str:
    given = event if isinstance(event, str) else event.id
    result = CliRunner().invoke(app, [given])
    assert result.exit_code == 0, result.output
    return result.stdout


def found(event: Fact) -> dict[str, Any]:
    result = CliRunner().invoke(app, [event.id, "--json"])
    assert result.exit_code == 0, result.output
    shown: dict[str, Any] = msgspec.json.decode(result.stdout)
    return shown


def refusal(event_id: str) -> str:
    error = CliRunner().invoke(app, [event_id]).exception
    assert isinstance(error, ConfigError), error
    return str(error)


def said(event: Fact) -> str:
    return run(event).splitlines()[-1]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["event"]["id"] for row in rows]


def test_a_generation_shows_all_that_led_to_it(story: Story) -> None:
    shown = found(story.generation)

    assert ids(shown["causes"]) == [story.run.id, story.probe.id, story.request.id]
    assert shown["event"]["id"] == story.generation.id


def test_a_generation_shows_all_that_came_of_it(story: Story) -> None:
    shown = found(story.generation)

    types = [(row["type"], row["cause"]) for row in shown["effects"]]
    assert types == [
        ("decided", story.score.id),
        ("decided", story.gate.id),
        ("scored", story.generation.id),
    ]


def test_a_tree_is_as_deep_as_the_chain(story: Story) -> None:
    lines = run(story.generation).splitlines()

    depth = [len(line) - len(line.lstrip(" └─│├")) for line in lines[:7]]
    assert depth == [0, 4, 8, 12, 16, 20, 24]
    words = ("distill-demo-aa", "P01  ", "canned", "Said of P01.", "17.50", "gate", "dedup")
    assert [word for word, line in zip(words, lines, strict=False) if word not in line] == []


def test_a_probe_stands_before_every_run(story: Story) -> None:
    shown = found(story.probe)

    assert shown["causes"] == []
    assert [row["type"] for row in shown["effects"]].count("decided") == 2
    assert shown["dataset"] is None


def test_a_run_shows_its_requests_and_what_came_of_them(story: Story) -> None:
    effects = found(story.run)["effects"]

    assert {row["type"] for row in effects} == {"requested", "generated", "scored", "decided"}
    assert "Said of P01." in run(story.run)


def test_many_effects_are_cut_and_counted(store: EmbeddedStore) -> None:
    probe = probed()
    put(store, probe, *(requested(probe, sample=number) for number in range(30)))

    assert "… and 10 more; --json lists them" in run(probe)
    assert len(found(probe)["effects"]) == 30


def test_a_row_of_a_dataset_is_named(store: EmbeddedStore, story: Story, phase: Phase) -> None:
    other = generated(requested(sample=9))
    made = materialized(other, story.generation, phase=phase.name)
    put(store, made)

    assert said(story.generation) == (
        f"Accepted with the score 17.5. It is in a dataset: row 2 of {made.id[:8]} (phase demo)."
    )


def test_an_accepted_generation_may_not_be_in_a_dataset_yet(story: Story) -> None:
    assert said(story.generation) == (
        "Accepted with the score 17.5."
        " It is in no dataset yet; `lem materialize --phase demo` makes one."
    )


@pytest.mark.parametrize("name", ["score", "gate"])
def test_an_event_below_a_generation_tells_of_it_too(story: Story, name: str) -> None:
    assert said(getattr(story, name)).startswith("Accepted with the score 17.5.")


def test_a_rejected_generation_tells_the_rule_and_the_reason(
    store: EmbeddedStore, phase: Phase
) -> None:
    story = Story(phase, "rejected")
    put(store, *story.events)

    assert said(story.generation) == (
        "Rejected (threshold: It is threshold.). It passes at a threshold of 17.5 or less."
        " It is in no dataset."
    )


def test_a_held_generation_waits_for_a_person(store: EmbeddedStore, phase: Phase) -> None:
    story = Story(phase, "held")
    put(store, *story.events, deduped(story.gate))

    assert said(story.generation).startswith("On hold for a person (threshold: It is threshold.).")


def test_a_reviewer_has_the_last_word(store: EmbeddedStore, phase: Phase) -> None:
    story = Story(phase, "held")
    review = reviewed(story.gate, "rejected", note="Too sure.")
    put(store, *story.events, deduped(story.gate), review)

    assert said(review).startswith("Rejected (review: Too sure.). It waits for `lem review ")

    put(store, reviewed(story.gate, "withdrawn"))
    assert said(review).startswith("On hold for a person (threshold: ")


def test_a_duplicate_names_the_one_that_is_kept(store: EmbeddedStore, phase: Phase) -> None:
    kept, story = Story(phase), Story(phase, probe="P02")
    put(store, *kept.events, deduped(kept.gate))
    put(store, *story.events, deduped(story.gate, kept.generation))

    assert kept.generation.id[:8] in said(story.generation)
    assert said(story.generation).startswith("Rejected (duplicate: ")


def test_a_decision_that_a_better_answer_led_to_is_shown(
    store: EmbeddedStore, phase: Phase
) -> None:
    """The earlier one is rejected by a decision whose cause is the later one's."""
    earlier, better = Story(phase), Story(phase, probe="P02")
    put(store, *earlier.events, *better.events)
    verdict = deduped(earlier.gate, better.generation, cause=better.gate.id)
    put(store, verdict)

    assert verdict.id in [row["id"] for row in found(earlier.generation)["effects"]]
    assert "kept instead" in run(earlier.generation)


def test_a_generation_that_is_not_decided_yet_says_so(store: EmbeddedStore, phase: Phase) -> None:
    story = Story(phase)
    put(store, *story.events[:4])

    assert said(story.generation).startswith("Not decided yet; `lem run` goes on.")


def test_a_phase_that_is_no_longer_there_judges_nothing(store: EmbeddedStore) -> None:
    generation = generated(requested(phase="gone"))
    put(store, generation)

    assert said(generation).startswith("No phase of the curriculum judges it.")


def test_a_cause_that_is_missing_ends_the_chain(store: EmbeddedStore) -> None:
    generation = generated()
    put(store, generation)

    assert found(generation)["causes"] == []


def test_an_id_is_found_by_its_beginning(story: Story) -> None:
    assert run(story.generation.id[:8]) == run(story.generation)


def test_an_ambiguous_id_is_refused_with_those_that_begin_so(store: EmbeddedStore) -> None:
    first, second = probed("P01"), probed("P02")
    store.append([draft(first)._replace(event_id="abcd" + "0" * 28)])
    store.append([draft(second)._replace(event_id="abcd" + "1" * 28)])

    assert refusal("abcd") == (
        f'"abcd" begins the ids of 2 events: {first.id}, {second.id}. Give more digits;'
        " `lem log show abcd` lists them."
    )


@pytest.mark.parametrize("event_id", ["0000", "ab", "what"])
def test_an_id_of_nothing_is_refused(story: Story, event_id: str) -> None:
    assert f'"{event_id}"' in refusal(event_id)


def test_a_log_that_is_not_there_yet_is_told() -> None:
    error = CliRunner().invoke(app, ["abcd"]).exception

    assert isinstance(error, LogError)
    assert "Begin one with `lem seed`" in str(error)
