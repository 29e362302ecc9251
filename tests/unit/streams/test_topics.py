"""The pipeline's table: every event type has its topic, every topic its key."""

from typing import get_args

import pytest

from schemas import Event
from schemas.base import Fact
from streams.topics import SCORES, STEPS, TOPICS, Step, Topic, key_of, topic_of
from tests.events import generated, scored

each_topic = pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_type_has_one_topic(kind: type[Fact]) -> None:
    assert [topic.event for topic in TOPICS.values()].count(kind) == 1


def test_every_topic_holds_an_event_type() -> None:
    assert {topic.event for topic in TOPICS.values()} == set(get_args(Event))
    assert list(TOPICS) == [topic.name for topic in TOPICS.values()]


@each_topic
def test_the_key_is_a_field_of_the_event(topic: Topic) -> None:
    assert topic.key in topic.event.__struct_fields__


@each_topic
def test_every_topic_is_written_by_a_step_with_its_event(topic: Topic) -> None:
    events = {step.event for step in STEPS if step.topic == f"`{topic.name}`"}

    assert events == {f"`{topic.event.__name__}`"}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.who}-{step.topic}")
def test_a_step_writes_to_a_topic_and_reads_what_there_is(step: Step) -> None:
    assert step.topic.strip("`") in TOPICS
    assert step.reads.strip("`") in {*TOPICS, "seeds/", "any"}


def test_an_event_finds_its_topic_and_its_key() -> None:
    generation = generated()
    score = scored(generation)

    assert topic_of(score) is SCORES
    assert key_of(score) == generation.id
