"""`lem explain`: what led to an event, what came of it, and whether it is in a dataset."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas import Event, Generated, Started
from streams import envelope
from streams.cli.context import opened, viewed
from streams.cli.log import by_id
from streams.cli.shown import Json, console, json_lines
from streams.cli.tail import as_object, summary
from streams.config import settings
from streams.errors import ConfigError
from streams.log.door import Store
from streams.log.records import Record

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from streams.replay import Views

_MOST_SHOWN = 20  # events below one; a probe may have led to thousands

Row = dict[str, Any]

# Effects of effects, each once. Two things follow without being named as a cause: the requests of
# a run, which name their probes, and a decision on a generation that a better one superseded.
_EFFECTS = """
with recursive below as (
  select id from lineage where cause = $1 or (type = 'requested' and run = $2)
  union
  select id from decisions where generation = $1
  union
  select lineage.id from lineage join below on lineage.cause = below.id
)
select id, type, topic, partition, "offset", "at", cause
from lineage join below using (id) order by "at", topic, partition, "offset" """

_RUN = """
select topic, partition, "offset" from lineage where type = 'started' and run = ?
order by "at" limit 1"""

_DATASETS = """
select id, phase, list_position(generations, $1) as row from datasets
where list_contains(generations, $1) order by "at" desc"""


def explain(
    event_id: Annotated[
        str, typer.Argument(metavar="ID", help="The beginning of any event's id; 4 digits or more.")
    ],
    as_json: Json = False,
) -> None:
    """Show what led to an event.

    Also what came of it, and for a generation why it is in a dataset or not.

    Example: lem explain 3fa9c2d1
    """
    found = settings()
    with opened(found, must_exist=True) as store:
        record = _one(by_id(store, event_id), event_id)
        event = envelope.event(record)
        with viewed(store, found) as views:
            causes = [*_opening(store, views, event), *_causes(store, event)]
            effects = _effects(views, event)
            fate = _fate(views, _generation(event))
        if as_json:
            _print_json(record, causes, effects, fate)
        else:
            _print_tree(store, record, causes, effects, fate)


def _one(found: list[Record], prefix: str) -> Record:
    if len(found) == 1:
        return found[0]
    ids = ", ".join(envelope.event(record).id for record in found[:5])
    more = ", …" if len(found) > 5 else ""
    raise ConfigError(
        f'"{prefix}" begins the ids of {len(found)} events: {ids}{more}. Give more digits;'
        f" `lem log show {prefix}` lists them."
    )


def _opening(store: Store, views: "Views", event: Event) -> list[Record]:
    """The event that opened the run; it is no cause of a request, which came from its probe."""
    if event.run is None or isinstance(event, Started):
        return []
    return [_read(store, **place) for place in views.rows(_RUN, [event.run])]


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


def _effects(views: "Views", event: Event) -> list[Row]:
    run = event.run if isinstance(event, Started) else None
    found = views.rows(_EFFECTS, [event.id, run])
    return [row for row in found if row["id"] != event.id]


def _generation(event: Event) -> str | None:
    """The generation that the event is, or is about."""
    return event.id if isinstance(event, Generated) else getattr(event, "generation", None)


def _fate(views: "Views", generation: str | None) -> Row | None:
    """The verdict on a generation, the datasets that hold it, and both as sentences."""
    if generation is None:
        return None
    verdicts = views.rows("select * from verdicts where generation = ?", [generation])
    datasets = views.rows(_DATASETS, [generation])
    verdict = verdicts[0] if verdicts else {"verdict": None}
    said = f"{_verdict(verdict)} {_membership(verdict, datasets)}"
    return {"generation": generation, **verdict, "datasets": datasets, "said": said}


def _verdict(row: Row) -> str:
    why = ": ".join(row[name] for name in ("rule", "reason") if row.get(name))
    match row["verdict"]:
        case "accepted":
            return f"Accepted with the score {row['score']:g}."
        case "held":
            return f"On hold for a person ({why})."
        case "rejected":
            return f"Rejected ({why})."
        case "pending":
            return "Not decided yet; `lem run` goes on."
    return "No phase of the curriculum judges it."


def _membership(verdict: Row, datasets: list[Row]) -> str:
    if datasets:
        places = (f"row {d['row']} of {d['id'][:8]} (phase {d['phase']})" for d in datasets)
        return f"It is in a dataset: {', '.join(places)}."
    if verdict["verdict"] == "accepted":
        phase = verdict["phase"]
        return f"It is in no dataset yet; `lem materialize --phase {phase}` makes one."
    return "It is in no dataset."


def _print_json(record: Record, causes: list[Record], effects: list[Row], fate: Row | None) -> None:
    shown = {
        **as_object(record),
        "causes": [as_object(cause) for cause in causes],
        "effects": effects,
        "dataset": fate,
    }
    json_lines([shown])


def _print_tree(
    store: Store, record: Record, causes: list[Record], effects: list[Row], fate: Row | None
) -> None:
    from rich.tree import Tree

    path = [*(summary(cause) for cause in causes), summary(record)]
    path[-1].stylize("bold")
    root = branch = Tree(_cut(path[0]), guide_style="dim")
    for text in path[1:]:
        branch = branch.add(_cut(text))
    event = envelope.event(record)
    _grow(store, branch, event.id, _by_cause(effects, event.id))
    screen = console()
    screen.print(root)
    if fate:
        screen.print(fate["said"], markup=False, soft_wrap=True)


def _by_cause(effects: list[Row], root: str) -> dict[str, list[Row]]:
    """The effects under what they follow from; a run's requests, caused by probes, under it."""
    shown = {root, *(row["id"] for row in effects)}
    below: dict[str, list[Row]] = {}
    for row in effects:
        below.setdefault(row["cause"] if row["cause"] in shown else root, []).append(row)
    return below


def _grow(store: Store, branch: "Tree", parent: str, below: dict[str, list[Row]]) -> None:
    children = below.get(parent, [])
    for row in children[:_MOST_SHOWN]:
        text = summary(_read(store, row["topic"], row["partition"], row["offset"]))
        _grow(store, branch.add(_cut(text)), row["id"], below)
    if (more := len(children) - _MOST_SHOWN) > 0:
        branch.add(f"… and {more:,} more; --json lists them")


def _cut(text: "Text") -> "Text":
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _read(store: Store, topic: str, partition: int, offset: int) -> Record:
    return store.read(topic, partition, offset=offset, limit=1)[0]
