"""A plan for several models: each sample of a prompt is asked of one, always of the same one."""

import pytest

from agents.distill import Plan, Question, planned, shared
from schemas import Requested
from streams.curriculum import load
from streams.log.store import EmbeddedStore
from tests.events import generated, probed, put
from tests.lem import PROJECT

OWN, OTHER = "canned:own", "canned:other"
SHARES = {OWN: 0.7, OTHER: 0.3}
PROBES = [probed(f"P{number}", f"Why {number}?") for number in range(100)]


@pytest.fixture
def questions() -> list[Question]:
    phase = load(PROJECT / "seeds" / "curriculum.yaml").phase("1")
    return [Question(phase=phase, model=model, kernel=None) for model in SHARES]


def plans(store: EmbeddedStore, questions: list[Question], **more: object) -> list[Plan]:
    asked = {"samples": 2} | more
    return shared(store, questions, SHARES, PROBES, **asked)  # type: ignore[arg-type]  # by name


def assigned(found: list[Plan]) -> dict[tuple[str, int], str]:
    every = [each for plan in found for each in plan.requests]
    by_prompt = {(each.probe, each.sample): each.model for each in every}
    assert len(by_prompt) == len(every)
    return by_prompt


def test_each_sample_of_a_prompt_is_asked_once_in_a_run_of_its_model(
    store: EmbeddedStore, questions: list[Question]
) -> None:
    found = plans(store, questions)

    assert len(assigned(found)) == 200
    assert [plan.run for plan in found] == [question.run for question in questions]
    assert [{r.model for r in plan.requests} for plan in found] == [{OWN}, {OTHER}]
    assert [{r.run for r in plan.requests} for plan in found] == [{p.run} for p in found]
    assert 0.6 < len(found[0].requests) / 200 < 0.8


def test_more_samples_move_nothing(store: EmbeddedStore, questions: list[Question]) -> None:
    few, many = assigned(plans(store, questions)), assigned(plans(store, questions, samples=5))

    assert {key: many[key] for key in few} == few


def test_what_is_on_the_log_is_known_to_its_run(
    store: EmbeddedStore, questions: list[Question]
) -> None:
    first = plans(store, questions)
    put(store, *(each for plan in first for each in plan.requests))

    again = plans(store, questions, samples=3)

    assert [plan.known for plan in again] == [len(plan.requests) for plan in first]
    assert {r.sample for plan in again for r in plan.requests} == {2}


def test_a_limit_holds_for_all_models_together(
    store: EmbeddedStore, questions: list[Question]
) -> None:
    found = assigned(plans(store, questions, limit=30))

    assert list(found.values()).count(OWN) + list(found.values()).count(OTHER) == 30
    assert set(found.values()) == {OWN, OTHER}
    assert {probe for probe, _ in found} == {each.probe for each in PROBES[:30]}


def test_an_error_is_asked_again_of_the_same_model(
    store: EmbeddedStore, questions: list[Question]
) -> None:
    first = plans(store, questions, samples=1)
    every = [each for plan in first for each in plan.requests]
    put(store, *every, *(generated(each, outcome="error") for each in every))

    again = plans(store, questions, samples=1, retry=True)

    assert assigned(again) == assigned(first)
    assert [plan.retries for plan in again] == [len(plan.requests) for plan in first]


def test_one_model_alone_is_asked_as_without_shares(
    store: EmbeddedStore, questions: list[Question]
) -> None:
    """What was asked of it before the others came is known, and not asked twice."""
    alone = planned(store, questions[0], PROBES, samples=2)
    put(store, *alone.requests)

    own, other = plans(store, questions)

    assert (own.run, own.requests) == (alone.run, [])
    assert own.known + len(other.requests) == 200


def test_an_expansion_is_another_run_than_a_distillation(questions: list[Question]) -> None:
    phase = questions[0].phase
    expansion = Question(phase=phase, model=OWN, kernel=None, kind="expand")

    assert expansion.run.startswith("expand-1-")
    assert expansion.run != questions[0].run


def test_a_request_is_the_same_whichever_run_it_came_from(
    store: EmbeddedStore, questions: list[Question]
) -> None:
    """Its id follows from what is asked of whom."""
    phase = questions[0].phase
    expansion = Question(phase=phase, model=OWN, kernel=None, kind="expand")

    one, two = (planned(store, each, PROBES[:1], samples=1) for each in (questions[0], expansion))
    assert _ids(one.requests) == _ids(two.requests)


def _ids(requests: list[Requested]) -> list[str]:
    return [each.id for each in requests]
