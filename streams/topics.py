"""Which topic holds which event under which key, and which step writes it."""

import msgspec

from schemas import (
    Buried,
    Decided,
    Generated,
    Materialized,
    Probed,
    Requested,
    Reviewed,
    Scored,
    Started,
)
from schemas.base import Fact


class Topic(msgspec.Struct, frozen=True):
    """A topic holds one kind of event."""

    name: str
    """A plural noun; the view of the topic has the same name."""

    event: type[Fact]
    """The only type it may hold."""

    key: str
    """The field that a record is keyed by: equal keys share a partition and keep their order."""

    is_whole: bool = False
    """Whether it has one partition only: one worker must see all of it, in one order."""


PROBES = Topic("probes", Probed, "probe")
RUNS = Topic("runs", Started, "run")
REQUESTS = Topic("requests", Requested, "id")
GENERATIONS = Topic("generations", Generated, "request")
SCORES = Topic("scores", Scored, "generation")
DECISIONS = Topic("decisions", Decided, "generation", is_whole=True)
REVIEWS = Topic("reviews", Reviewed, "generation")
DATASETS = Topic("datasets", Materialized, "id")
DEAD_LETTERS = Topic("dead-letters", Buried, "topic")

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        PROBES,
        RUNS,
        REQUESTS,
        GENERATIONS,
        SCORES,
        DECISIONS,
        REVIEWS,
        DATASETS,
        DEAD_LETTERS,
    )
}
"""Every topic, in the order of the data."""


class Step(msgspec.Struct, frozen=True):
    """One row of the table of steps: who turns what into what."""

    who: str
    reads: str
    event: str
    topic: str
    key: str


STEPS: tuple[Step, ...] = (
    Step("`lem seed`", "`seeds/`", "`Probed`", "`probes`", "probe id"),
    Step("`agents/rephrase.py`", "`probes`", "`Probed`", "`probes`", "probe id"),
    Step("`lem distill`", "`probes`", "`Started`", "`runs`", "run id"),
    Step("`lem distill`", "`probes`", "`Requested`", "`requests`", "request id"),
    Step("`agents/generate.py`", "`requests`", "`Generated`", "`generations`", "request id"),
    Step("`agents/score.py`", "`generations`", "`Scored`", "`scores`", "generation id"),
    Step("`agents/gate.py`", "`scores`", "`Decided`", "`decisions`", "generation id"),
    Step("`agents/dedup.py`", "`decisions`", "`Decided`", "`decisions`", "generation id"),
    Step("a person", "`decisions`", "`Reviewed`", "`reviews`", "generation id"),
    Step("`agents/materialize.py`", "`decisions`", "`Materialized`", "`datasets`", "dataset id"),
    Step("any step", "any", "`Buried`", "`dead-letters`", "topic"),
)


def topic_of(event: Fact) -> Topic:
    """The topic that holds events of this kind."""
    return _BY_EVENT[type(event)]


def key_of(event: Fact) -> str:
    """The key of this event's record."""
    return str(getattr(event, topic_of(event).key))


_BY_EVENT = {topic.event: topic for topic in TOPICS.values()}
