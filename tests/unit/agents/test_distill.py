"""A plan names what the log lacks; planning the same again names nothing."""

from pathlib import Path

import pytest

from agents.distill import Plan, Question, planned, started
from schemas import Generated, Requested
from streams.curriculum import load
from streams.log.store import EmbeddedStore
from tests.events import generated, probed, put
from tests.lem import PROJECT

PROBES = [probed(f"P{number}", f"Why {number}?") for number in range(3)]


@pytest.fixture
def question() -> Question:
    phase = load(Path(PROJECT / "seeds" / "curriculum.yaml")).phase("1")
    return Question(phase=phase, model="canned:none", kernel=None)


def plan(store: EmbeddedStore, question: Question, **more: object) -> Plan:
    asked = {"samples": 2} | more
    return planned(store, question, PROBES, **asked)  # type: ignore[arg-type]  # by name


def test_every_prompt_is_asked_once_before_any_is_asked_twice(
    store: EmbeddedStore, question: Question
) -> None:
    found = [(r.sample, r.probe) for r in plan(store, question).requests]

    assert found == [(0, "P0"), (0, "P1"), (0, "P2"), (1, "P0"), (1, "P1"), (1, "P2")]


def test_what_was_planned_is_not_planned_again(store: EmbeddedStore, question: Question) -> None:
    put(store, *plan(store, question).requests)

    again = plan(store, question, samples=3)

    assert (len(again.requests), again.known) == (3, 6)
    assert {r.sample for r in again.requests} == {2}


def test_a_limit_leaves_the_rest_for_later(store: EmbeddedStore, question: Question) -> None:
    first = plan(store, question, limit=4).requests
    put(store, *first)
    second = plan(store, question, limit=4).requests

    assert (len(first), len(second)) == (4, 2)


def test_the_run_follows_from_what_is_asked_of_whom(
    store: EmbeddedStore, question: Question
) -> None:
    other = Question(phase=question.phase, model="canned:other", kernel=None)

    assert plan(store, question).run == plan(store, question, samples=9).run
    assert plan(store, question).run != plan(store, other).run


def test_only_errors_are_asked_again(store: EmbeddedStore, question: Question) -> None:
    requests = plan(store, question, samples=1).requests
    put(store, *requests)
    put(store, *(_answer(requests[n], outcome) for n, outcome in enumerate(("ok", "error"))))

    again = plan(store, question, samples=1, retry=True)

    # The third was never answered: it waits, and need not be asked again.
    assert [(r.probe, r.attempt) for r in again.requests] == [("P1", 1)]
    assert (again.retries, again.known) == (1, 2)


def test_an_error_twice_is_asked_a_third_time(store: EmbeddedStore, question: Question) -> None:
    for _ in range(2):
        requests = plan(store, question, samples=1, retry=True).requests
        put(store, *requests, *(_answer(request, "error") for request in requests))

    third = plan(store, question, samples=1, retry=True)

    assert {r.attempt for r in third.requests} == {2}


def test_the_run_counts_what_it_names(store: EmbeddedStore, question: Question) -> None:
    put(store, *plan(store, question, samples=1).requests)

    opened = started(question, plan(store, question))

    assert (opened.requests, opened.samples, opened.phase) == (6, 2, "1")


def _answer(request: Requested, outcome: str) -> Generated:
    return generated(request, outcome=outcome)
