"""`lem log`: what stands on the log, where the groups are, and whether all of it is sound."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from schemas import Buried
from streams import envelope
from streams.cli.context import opened
from streams.cli.copy import copy
from streams.cli.shown import Json, json_lines, progress, show, table
from streams.cli.tail import local_time, summary
from streams.errors import ConfigError, LogError, UnreadableRecord
from streams.log.door import Store
from streams.log.records import EVENT_ID, Record
from streams.reading import follow

if TYPE_CHECKING:
    from streams.verify import Findings

_CUT = 200  # characters of a dead letter's bytes
_MOST_LISTED = 100  # events whose id begins alike
_LEAST_DIGITS = 4

app = typer.Typer(help="Look at the log itself.", no_args_is_help=True, rich_markup_mode=None)
app.command()(copy)


@app.command()
def topics(as_json: Json = False) -> None:
    """Show each topic: its partitions, its records, and when the first and last were logged.

    Example: lem log topics
    """
    with opened(must_exist=True) as store:
        found = store.topics().items()
        rows = [_topic(store, name, count, as_json=as_json) for name, count in found]
    show(rows, as_json=as_json)


@app.command()
def offsets(as_json: Json = False) -> None:
    """Show how far each consumer group is, and how many records are left to it.

    Example: lem log offsets
    """
    with opened(must_exist=True) as store:
        rows = list(_offsets(store))
    show(rows, as_json=as_json)


@app.command(name="show")
def show_record(
    what: Annotated[
        str, typer.Argument(metavar="TOPIC|ID", help="A topic, or the beginning of an event's id.")
    ],
    offset: Annotated[
        int | None, typer.Argument(help="The offset in the topic.", min=0, show_default=False)
    ] = None,
    partition: Annotated[int, typer.Option(help="The topic's partition.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Show one record whole: its event, its headers, its place.

    Example: lem log show generations 17
    """
    with opened(must_exist=True) as store:
        found = by_id(store, what) if offset is None else [_at(store, what, partition, offset)]
    if len(found) > 1:
        title = f'Events whose id begins with "{what}"'
        show([_listed(record) for record in found], as_json=as_json, title=title)
        return
    text = msgspec.json.encode(_whole(found[0])).decode()
    print(text if as_json else msgspec.json.format(text, indent=2))


@app.command()
def dead(
    full: Annotated[bool, typer.Option("--full", help="Don't cut what could not be used.")] = False,
    limit: Annotated[int, typer.Option(help="Show the latest so many.", min=1)] = 100,
    as_json: Json = False,
) -> None:
    """Show the dead letters: records that a step could not use, and why.

    Example: lem log dead --full
    """
    with opened(must_exist=True) as store:
        letters = list(follow(store, "dead-letters", start=f"-{limit}", wait=False))
        total = sum(end for (topic, _), end in store.ends().items() if topic == "dead-letters")
    show([_letter(record, full=full, as_json=as_json) for record in letters], as_json=as_json)
    if total > len(letters) and not as_json:
        print(f"The latest {len(letters)} of {total}; `--limit {total}` shows all.")


@app.command()
def verify(as_json: Json = False) -> None:
    """Read the whole log and check it: 0 for a sound one, 1 where something is wrong.

    Example: lem log verify
    """
    from streams.verify import examined

    with opened(must_exist=True) as store, progress("Checking the log", _total(store)) as bar:
        found = examined(store, progress=lambda n: bar.update(bar.task_ids[0], advance=n))
        place = store.place
    if as_json:
        json_lines([{"log": place, "checked": found.checked, "problems": found.problems}])
    else:
        _print_findings(place, found)
    if found.problems:
        raise typer.Exit(1)


def _total(store: Store) -> int | None:
    try:
        return sum(store.ends().values())
    except LogError:  # damaged: what can't be read is for the check to tell
        return None


def by_id(store: Store, prefix: str) -> list[Record]:
    """The records of the events whose id begins so; at least one.

    Raises:
        ConfigError: It is no beginning of an id, too short, or no event's.
    """
    prefix = prefix.lower()
    if not 0 < len(prefix) <= 32 or prefix.strip("0123456789abcdef"):
        raise ConfigError(
            f'"{prefix}" is no event id: hexadecimal digits, 32 or the first few.'
            " To show a record by its place, name topic and offset, as `lem log show scores 77`."
        )
    if len(prefix) < _LEAST_DIGITS:
        raise ConfigError(f'"{prefix}" is too short; give at least {_LEAST_DIGITS} digits of it.')
    if not (found := store.find(prefix, limit=_MOST_LISTED)):
        raise ConfigError(
            f'No event on {store.place} has an id that begins with "{prefix}".'
            " `lem tail TOPIC` shows the latest ones."
        )
    return found


def _at(store: Store, topic: str, partition: int, offset: int) -> Record:
    end = store.end(topic, partition)  # refuses a topic that is not there
    if offset < end:
        return store.read(topic, partition, offset=offset, limit=1)[0]
    raise ConfigError(
        f"{topic}[{partition}]@{offset} is beyond the end: the partition holds {end:,} records."
        f" `lem tail {topic}` shows the latest ones."
    )


def _topic(store: Store, name: str, partitions: int, *, as_json: bool) -> dict[str, Any]:
    ends = {p: end for p in range(partitions) if (end := store.end(name, p))}
    first = [store.read(name, p, limit=1)[0].at_ms for p in ends]
    last = [store.read(name, p, offset=end - 1, limit=1)[0].at_ms for p, end in ends.items()]
    return {
        "topic": name,
        "partitions": partitions,
        "records": sum(ends.values()),
        "first": _when(min(first), as_json=as_json) if first else None,
        "last": _when(max(last), as_json=as_json) if last else None,
    }


def _offsets(store: Store) -> Iterator[dict[str, Any]]:
    ends = store.ends()
    for group in store.groups():
        for (topic, partition), offset in sorted(store.committed(group).items()):
            end = ends.get((topic, partition), 0)
            yield {
                "group": group,
                "topic": topic,
                "partition": partition,
                "committed": offset,
                "end": end,
                "lag": end - offset,
            }


def _whole(record: Record) -> dict[str, Any]:
    """The record as JSON shows it; bytes that are no event are shown as they are."""
    shown: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "logged_at": datetime.fromtimestamp(record.at_ms / 1000, UTC),
        "key": None if record.key is None else _as_text(record.key),
        "headers": {name: _as_text(value) for name, value in record.headers},
    }
    try:
        envelope.event(record)
    except UnreadableRecord as error:
        value = None if record.value is None else _as_text(record.value)
        return {**shown, "error": str(error), "value": value}
    return {**shown, "event": msgspec.Raw(record.value or b"")}


def _listed(record: Record) -> dict[str, Any]:
    event_id = dict(record.headers).get(EVENT_ID, b"").decode()
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    return {"id": event_id, "place": place, "event": summary(record).plain[:_CUT]}


def _letter(record: Record, *, full: bool, as_json: bool) -> dict[str, Any]:
    letter = dict.fromkeys(("at", "where", "step", "error", "value"))
    letter["at"] = _when(record.at_ms, as_json=as_json)
    try:
        event = envelope.event(record)
    except UnreadableRecord as error:
        return {**letter, "error": str(error)}
    if not isinstance(event, Buried):
        return letter
    value = _as_text(event.value)
    return {
        **letter,
        "where": f"{event.topic}[{event.partition}]@{event.offset}",
        "step": event.step,
        "error": event.error,
        "value": value if full or len(value) <= _CUT else f"{value[:_CUT]}…",
    }


def _when(at_ms: int, *, as_json: bool) -> str:
    """A logged time: UTC for a script, local for a person."""
    if as_json:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return local_time(at_ms)


def _as_text(value: bytes) -> str:
    """Text where the bytes are text, else their hexadecimal digits."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _print_findings(place: str, found: "Findings") -> None:
    from streams.verify import RULES

    broken = [problem.rule for problem in found.problems]
    checked = [
        {"rule": rule, "what": what, "checked": found.checked[rule], "problems": broken.count(rule)}
        for rule, what in RULES.items()
    ]
    table(checked, title=f"{place}: {found.checked['order']:,} records read")
    if found.problems:
        table([msgspec.structs.asdict(problem) for problem in found.problems], title="Problems")
    else:
        print("The log is sound.")
