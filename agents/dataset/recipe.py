"""What a dataset is made by: a phase, the policy's digest, and how much of the log is read.

Kept with the dataset, it makes the same one again, whatever the curriculum, the scorers or the log
have come to be since.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from schemas import Materialized, Position
from streams.curriculum import Curriculum, Phase
from streams.errors import ConfigError
from streams.log.records import TopicPartition
from streams.replay import Policy, policies
from streams.topics import DATASETS, DEAD_LETTERS

if TYPE_CHECKING:
    from streams.replay import Views

FORMAT = 2
"""Of the files; raised when the same rows would be written otherwise."""

_DEFINITIONS = """
select distinct definition from scores where phase = ? and scorer = ? order by definition"""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset was made by, as its manifest holds it."""

    format: int
    """`FORMAT` when it was made."""

    phase: dict[str, Any]
    """As the curriculum had it: gate, split, and the rest."""

    scorers: dict[str, list[str]]
    """The digests of the definitions that gave the scores, by the scorer's name and version."""

    writer: str
    """The library that wrote the Parquet files; another one's bytes may differ."""


class Order(NamedTuple):
    """What is to be made."""

    phase: Phase
    policy: str
    """Its digest, as in the decisions that are to hold."""

    ends: Mapping[TopicPartition, int] | None = None
    """How far the log is read; as it is now where not said."""

    dataset: str | None = None
    """The id that must come out; none for a new one."""

    told: dict[str, Any] | None = None
    """The phase as the manifest has it, which may lack what phases have come to have since."""

    @property
    def policies(self) -> list[Policy]:
        """The policy as the views need it."""
        found = policies(Curriculum({self.phase.name: self.phase}))
        return [each._replace(policy=self.policy) for each in found]


def now(phase: Phase, ends: Mapping[TopicPartition, int] | None = None) -> Order:
    """By the curriculum of now."""
    return Order(phase, phase.policy, ends)


def then(told: Materialized) -> Order:
    """By what a manifest holds.

    Raises:
        ConfigError: It has no recipe, or one that this lem can't follow.
    """
    found = recipe(told)
    if found.format != FORMAT:
        raise ConfigError(
            f"Dataset {told.id[:8]} has format {found.format}; this lem writes format {FORMAT}"
            " and can't make the same bytes. Use the lem that made it."
        )
    try:
        phase = msgspec.convert(found.phase, Phase)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"Dataset {told.id[:8]} was made by a phase that this lem can't read: {error}."
            " Use the lem that made it."
        ) from error
    ends = {(p.topic, p.partition): p.end for p in told.positions}
    return Order(phase, told.policy, ends, told.id, found.phase)


def recipe(told: Materialized) -> Recipe:
    """The recipe in a manifest.

    Raises:
        ConfigError: There is none, or it is no recipe.
    """
    if told.recipe is None:
        raise ConfigError(
            f"Dataset {told.id[:8]} was made before manifests held their recipe, so it can't be"
            f" made again as it was. `lem materialize --phase {told.phase}` makes one that can."
        )
    try:
        return msgspec.json.decode(told.recipe, type=Recipe)
    except msgspec.DecodeError as error:
        raise ConfigError(f"Dataset {told.id[:8]}: its recipe can't be read: {error}.") from error


def written(order: Order, views: "Views") -> str:
    """The recipe as text: canonical JSON."""
    import pyarrow as pa

    scorer = order.phase.gate.scorer
    found = views.db.execute(_DEFINITIONS, [order.phase.name, scorer]).fetchall()
    made = Recipe(
        format=FORMAT,
        phase=order.told or msgspec.to_builtins(order.phase),
        scorers={scorer: [definition for (definition,) in found]},
        writer=f"pyarrow {pa.__version__}",
    )
    return msgspec.json.encode(made, order="deterministic").decode()


def positions(views: "Views") -> tuple[Position, ...]:
    """The log as it was read; what follows from datasets is no part of it."""
    return tuple(
        Position(topic=topic, partition=partition, end=end)
        for (topic, partition), end in sorted(views.positions.items())
        if topic not in (DATASETS.name, DEAD_LETTERS.name)
    )
