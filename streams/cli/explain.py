"""`lem explain`: what led to an event, what came of it, and whether it is in a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas import Event, Generated, Materialized, Probed, Started
from streams import envelope
from streams.cli.context import opened, viewed
from streams.cli.log import by_id
from streams.cli.shown import Json, json_lines, progress
from streams.cli.tail import as_object
from streams.config import Settings, settings
from streams.errors import ConfigError
from streams.log.door import Store
from streams.log.records import Record
from streams.topics import DATASETS, RUNS

if TYPE_CHECKING:
    from agents.fate import Ranked
    from streams.lineage import Lineage

Row = dict[str, Any]

# Effects of effects, each once; of a run also its requests, which name their probes as causes.
_EFFECTS = """
with recursive below as (
  select id from lineage where cause = $1 or (type = 'requested' and run = $2)
  union
  select lineage.id from lineage join below on lineage.cause = below.id
)
select id, type, topic, partition, "offset", "at", cause
from lineage join below using (id) order by "at", topic, partition, "offset" """

_RANKED = """
with own as (select * from verdicts where phase = $phase and probe = $probe)
select one.reason, one.rule, (
    select count(*) from own as other
    where (other.verdict = 'accepted' or other.rule = 'best')
    and (-other.score, other.generation) <= (-one.score, one.generation)
  ) as place
from own as one where generation = $generation"""


# Where two workers each kept one of two equal texts, only a look at both tells the worse.
_TWIN = """
select reason, duplicate_of from verdicts where generation = ? and rule = 'duplicate'"""


def explain(
    event_id: Annotated[
        str, typer.Argument(metavar="ID", help="The beginning of any event's id; 4 digits or more.")
    ],
    as_json: Json = False,
) -> None:
    """Show what led to an event.

    Also what came of it; and of a generation each score with the rules that fired, each decision,
    whether it is in a dataset, and what would have let it in.

    Example: lem explain 3fa9c2d1
    """
    from streams.cli import explained

    found = settings()
    with opened(found, must_exist=True) as store:
        record = _one(by_id(store, event_id), event_id)
        event = envelope.event(record)
        causes = [*_opening(store, event), *_causes(store, event)]
        if isinstance(event, Started | Probed):  # of these there may be thousands of effects
            effects, story = _replayed(store, found, event), None
        else:
            effects, story = _followed(store, found, event)
        if as_json:
            json_lines([_object(record, causes, effects, story)])
        else:
            explained.tree(store, record, causes, effects)
            if story:
                explained.tell(story)


def _object(
    record: Record, causes: list[Record], effects: list[Row], story: "Row | None"
) -> dict[str, Any]:
    told = {"causes": [as_object(cause) for cause in causes], "effects": effects}
    return {**as_object(record), **told, "dataset": story}


def _one(found: list[Record], prefix: str) -> Record:
    if len(found) == 1:
        return found[0]
    ids = ", ".join(envelope.event(record).id for record in found[:5])
    more = ", …" if len(found) > 5 else ""
    raise ConfigError(
        f'"{prefix}" begins the ids of {len(found)} events: {ids}{more}. Give more digits;'
        f" `lem log show {prefix}` lists them."
    )


def _opening(store: Store, event: Event) -> list[Record]:
    """The event that opened the run; it is no cause of a request, which came from its probe."""
    if event.run is None or isinstance(event, Started):
        return []
    found = (
        record
        for record in _holding(store, RUNS.name, event.run)
        if envelope.event(record).run == event.run
    )
    return [*found][:1]


def _holding(store: Store, topic: str, text: str) -> list[Record]:
    """The records of a topic whose bytes hold a text: few are taken apart."""
    partitions, sought = range(store.topics().get(topic, 0)), text.encode()
    scanned = (record for partition in partitions for record in store.scan(topic, partition))
    return [record for record in scanned if sought in (record.value or b"")]


def _causes(store: Store, event: Event) -> list[Record]:
    """The chain that led to the event, its beginning first."""
    chain: list[Record] = []
    seen: set[str | None] = {None}
    cause = event.cause
    while cause not in seen:
        seen.add(cause)
        chain += (found := store.find(str(cause), limit=1))
        cause = envelope.event(found[0]).cause if found else None
    return chain[::-1]


def _replayed(store: Store, found: Settings, event: Event) -> list[Row]:
    """The effects of a run or a probe, by the views."""
    run = event.run if isinstance(event, Started) else None
    with viewed(store, found) as views:
        rows = views.rows(_EFFECTS, [event.id, run])
    return [row for row in rows if row["id"] != event.id]


def _followed(store: Store, found: Settings, event: Event) -> "tuple[list[Row], Row | None]":
    """The effects of anything else, and the story of the generation that it is about."""
    from streams.lineage import Lineage

    lineage = Lineage(store, found.home_path)
    try:
        with progress("reading the log") as bar:
            lineage.read_on(lambda count: bar.update(bar.task_ids[0], advance=count))
        rows = [_row(record) for record in lineage.effects(event.id)]
        effects = sorted((row for row in rows if row["id"] != event.id), key=_place)
        return effects, _story(store, found, lineage, _generation(event))
    finally:
        lineage.close()


def _row(record: Record) -> Row:
    event = envelope.event(record)
    topic, partition, offset, *_ = record
    return {
        "id": event.id,
        "type": event.__struct_config__.tag,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "at": event.at,
        "cause": event.cause,
    }


def _place(row: Row) -> tuple[object, ...]:
    return row["at"], row["topic"], row["partition"], row["offset"]


def _generation(event: Event) -> str | None:
    """The generation that the event is, or is about."""
    return event.id if isinstance(event, Generated) else getattr(event, "generation", None)


def _story(
    store: Store, found: Settings, lineage: "Lineage", generation: str | None
) -> "Row | None":
    """What became of a generation: its scores, the verdict, the datasets, and all as sentences."""
    if generation is None:
        return None
    from agents.fate import fate, memberships
    from streams.cli import explained
    from streams.curriculum import load

    generated = envelope.found(store, generation, Generated, by="The event")
    events = [envelope.event(record) for record in lineage.effects(generation)]
    phase = load(Path(found.curriculum)).phases.get(generated.phase)
    kept = _kept(lineage, generation, phase.policy) if phase else []
    told = fate(generated, events, phase, kept=kept)
    if store.is_shared and told.verdict in ("accepted", "held"):
        for row in _twins(store, found, generation):
            told = fate(generated, events, phase, kept=[row["duplicate_of"]], twin=row["reason"])
    if phase and phase.gate.best and told.verdict == "accepted":
        ranked = _ranked(store, found, generated)
        told = fate(generated, events, phase, kept=kept, ranked=ranked)
    made = [envelope.event(record) for record in _holding(store, DATASETS.name, generation)]
    datasets = memberships(generation, [each for each in made if isinstance(each, Materialized)])
    return explained.story(generated, events, told, datasets)


def _kept(lineage: "Lineage", generation: str, policy: str) -> list[str]:
    """The better ones that a generation was left out for, the one that stays at the end."""
    from agents.fate import duplicate_of

    chain: list[str] = []
    better: str | None = generation
    while better and better not in chain:
        chain.append(better)
        events = [envelope.event(record) for record in lineage.effects(better)]
        better = duplicate_of(better, events, policy)
    return chain[1:]


def _twins(store: Store, found: Settings, generation: str) -> list[Row]:
    """The better one of equal texts, once two workers have each kept one; most often none."""
    with viewed(store, found) as views:
        return views.rows(_TWIN, [generation])


def _ranked(store: Store, found: Settings, generated: Generated) -> "Ranked | None":
    """Its place among the answers to its probe: the one thing for which all must be seen."""
    from agents.fate import Ranked

    values = {
        "phase": generated.phase,
        "probe": generated.probe,
        "generation": generated.id,
    }
    with viewed(store, found) as views:
        rows = views.rows(_RANKED, values)
    return next(
        (
            Ranked(place=row["place"], reason=row["reason"] if row["rule"] == "best" else None)
            for row in rows
        ),
        None,
    )
