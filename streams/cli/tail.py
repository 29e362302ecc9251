"""`lem tail`: watch a topic, one line an event."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from schemas import (
    Buried,
    Decided,
    Event,
    Generated,
    Materialized,
    Probed,
    Requested,
    Reviewed,
    Scored,
    Started,
)
from streams import envelope
from streams.cli.context import opened
from streams.cli.shown import Json, console, harmless
from streams.errors import ConfigError, UnreadableRecord
from streams.log.records import Record
from streams.reading import follow
from streams.topics import TOPICS

if TYPE_CHECKING:
    from rich.text import Text

_QUOTED = 160  # characters of a text; the terminal cuts further
_WITHOUT_RUN = ("probes", "dead-letters")  # the field is there, and always empty
_COLOURS = {"ok": "green", "accepted": "green", "held": "yellow", "rejected": "red"}
_COLOURS |= {"withdrawn": "yellow"}

Parts = list[str | tuple[str, str]]
Keep = Callable[[Record], bool]


def tail(
    topic: Annotated[str, typer.Argument(help="The topic, as `generations`.")],
    following: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is appended from now on.")
    ] = False,
    start: Annotated[
        str | None,
        typer.Option(
            "--offset",
            "-o",
            metavar="START",
            help="Where to start: start, end, -N for the last N, @2025-01-31T12:00, @-10m."
            " Without it: -10, or `end` with -f.",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after so many events.")
    ] = None,
    as_json: Json = False,
    run: Annotated[str | None, typer.Option(help="Only events whose run holds this text.")] = None,
    model: Annotated[str | None, typer.Option(help="Only those whose model does.")] = None,
    probe: Annotated[str | None, typer.Option(help="Only those whose probe id does.")] = None,
) -> None:
    """Show a topic's events, one a line.

    With -f, also each new one as it comes, until Ctrl+C.

    Example: lem tail generations -f --model gemma
    """
    start = start or ("end" if following else f"-{count or 10}")
    keep = _keep(topic, {"run": run, "model": model, "probe": probe})
    write = _json if as_json else _human()
    with opened(must_exist=True) as store, _quiet():
        for record in follow(store, topic, start=start, limit=count, keep=keep, wait=following):
            write(record)
            if following:
                sys.stdout.flush()


def described(event: Event) -> "Text":
    """What matters of this event, in one line of any length."""
    from rich.text import Text

    parts = [(p, "") if isinstance(p, str) else p for p in _PARTS[type(event)](event)]
    return Text.assemble(*((_lined(text), style) for text, style in parts))


def summary(record: Record) -> "Text":
    """The line of the record's event, or what is wrong with the record."""
    from rich.text import Text

    try:
        return described(envelope.event(record))
    except UnreadableRecord as error:
        return Text.assemble(("unreadable", "red"), f"  {_lined(str(error))}")


def local_time(at_ms: int) -> str:
    """A logged time as the person at this machine reads it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(" ", "seconds")[:19]


def quoted(text: str) -> str:
    """The beginning of a text on one line."""
    shown = " ".join(text[: 2 * _QUOTED].split())
    return f"“{shown}”" if len(shown) <= _QUOTED else f"“{shown[:_QUOTED]}…”"


def as_object(record: Record) -> dict[str, Any]:
    """A record for a script: its place, and its event just as it stands on the log."""
    place = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "logged_at": datetime.fromtimestamp(record.at_ms / 1000, UTC),
    }
    try:
        envelope.event(record)
    except UnreadableRecord as error:
        text = (record.value or b"").decode(errors="backslashreplace")
        return {**place, "event": None, "error": str(error), "value": text}
    # A line break in JSON can only stand between its tokens; one object is one line.
    value = (record.value or b"").replace(b"\n", b" ").replace(b"\r", b" ")
    return {**place, "event": msgspec.Raw(value)}


def _json(record: Record) -> None:
    sys.stdout.write(msgspec.json.encode(as_object(record)).decode() + "\n")


def _human() -> Callable[[Record], None]:
    """Writes a line for a person: coloured and cut on a terminal, plain and whole in a pipe."""
    screen = console()

    def write(record: Record) -> None:
        text = _line(record)
        if screen.is_terminal:
            screen.print(text, no_wrap=True, overflow="ellipsis")
        else:
            sys.stdout.write(f"{text.plain}\n")

    return write


def _line(record: Record) -> "Text":
    from rich.text import Text

    place = f"{record.partition}:{record.offset}" if record.partition else str(record.offset)
    head = (f"{local_time(record.at_ms)[5:]}  {place:>7}  ", "dim")
    return Text.assemble(head, summary(record))


def _keep(topic: str, wanted: dict[str, str | None]) -> Keep | None:
    """Whether a record has what is wanted; nothing where nothing is."""
    given = {name: text for name, text in wanted.items() if text}
    for name in given:
        _check_filter(topic, name)

    def keep(record: Record) -> bool:
        try:
            event = envelope.event(record)
        except UnreadableRecord:
            return False
        return all(text in (getattr(event, name) or "") for name, text in given.items())

    return keep if given else None


def _check_filter(topic: str, name: str) -> None:
    having = [
        other.name
        for other in TOPICS.values()
        if name in other.event.__struct_fields__
        and not (name == "run" and other.name in _WITHOUT_RUN)
    ]
    if topic in TOPICS and topic not in having:
        raise ConfigError(
            f"--{name} can't be used on {topic}: its events have no {name};"
            f" those of {', '.join(having)} do."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """End without a word when the person, or the next program of a pipe, has had enough."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # Python writes what is left when it ends; that must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lined(text: str) -> str:
    return harmless(text).replace("\n", " ").replace("\t", " ")


def _short(event_id: str) -> str:
    return event_id[:8]


def _probed(event: Probed) -> Parts:
    of = f" ({event.kind} of {event.rephrasing_of})" if event.rephrasing_of else ""
    marks = "".join(f"  {mark}" for mark in (event.voice, event.region) if mark)
    return [(event.probe, "bold"), f"{of}{marks}  {quoted(event.prompt)}"]


def _started(event: Started) -> Parts:
    kernel = f"kernel {event.kernel.name}" if event.kernel else "no kernel"
    asked = f"{event.requests:,} requests, {event.samples} for each prompt"
    return [(event.run or "", "bold"), f"  phase {event.phase}  {event.model}  {kernel}  {asked}"]


def _requested(event: Requested) -> Parts:
    again = f" again ({event.attempt})" if event.attempt else ""
    where = f"{event.probe} #{event.sample}{again}"
    return [f"{_short(event.id)}  ", (where, "bold"), f"  {event.model}  {quoted(event.prompt)}"]


def _generated(event: Generated) -> Parts:
    said = event.error or quoted(event.response)
    return [
        f"{_short(event.id)}  ",
        (f"{event.probe} #{event.sample}", "bold"),
        "  ",
        (event.outcome, _COLOURS.get(event.outcome, "red")),
        f"  {event.completion_tokens:,} tokens  {said}",
    ]


def _scored(event: Scored) -> Parts:
    return [f"{event.scorer}  ", (f"{event.score:.2f}", "bold"), f"  {_of(event.generation)}"]


def _decided(event: Decided) -> Parts:
    verdict = (event.verdict, _COLOURS[event.verdict])
    head = f"  {event.step}  {_of(event.generation)}  {event.scorer} {event.score:.2f}"
    kept = f"  kept instead: {_short(event.duplicate_of)}" if event.duplicate_of else ""
    why = "".join(f"  {finding.rule}: {finding.reason}" for finding in event.findings)
    return [verdict, head, kept, why]


def _reviewed(event: Reviewed) -> Parts:
    verdict = (event.verdict, _COLOURS[event.verdict])
    note = f"  {quoted(event.note)}" if event.note else ""
    return [verdict, f"  by {event.reviewer}  {_of(event.generation)}{note}"]


def _materialized(event: Materialized) -> Parts:
    files = ", ".join(f"{file.name} {file.rows:,}" for file in event.files)
    return [_short(event.id), (f"  phase {event.phase}", "bold"), f"  {event.scorer}  {files}"]


def _buried(event: Buried) -> Parts:
    place = f"{event.topic}[{event.partition}]@{event.offset}"
    return [(event.step, "red"), f" could not use {place}: {event.error}"]


def _of(generation: str) -> str:
    return f"generation {_short(generation)}"


_PARTS: dict[type, Callable[[Any], Parts]] = {
    Probed: _probed,
    Started: _started,
    Requested: _requested,
    Generated: _generated,
    Scored: _scored,
    Decided: _decided,
    Reviewed: _reviewed,
    Materialized: _materialized,
    Buried: _buried,
}
