"""Reading a topic as one stream: its partitions merged by logged time, from a start on, live."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice, takewhile

from streams.errors import ConfigError
from streams.log.door import Store
from streams.log.records import Record

_LOOK_EVERY_S = 5.0  # beside being woken: a topic may have been made anew
_FIRST_LOOK, _MOST_AT_ONCE = 16, 500  # records read at once, when going back from the end

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Keep = Callable[[Record], bool]
Positions = dict[int, int]


def follow(
    store: Store,
    topic: str,
    *,
    start: str = "start",
    limit: int | None = None,
    keep: Keep | None = None,
    wait: bool = True,
) -> Iterator[Record]:
    """The topic's records from `start` on, then each new one as it comes.

    Within what is there at one look, records come in the order of their logged time, then
    partition, then offset; in one partition always in that of their offsets. Only appends by
    another connection are noticed; give the store to nothing else meanwhile.

    Args:
        store: The log.
        topic: The topic's name.
        start: `start`, `end`, `-N` (the last N that are kept), `@TIME` or `@-10m`.
        limit: End after so many.
        keep: Leave out the records for which it is false.
        wait: Go on when the end is reached; else end there.

    Raises:
        ConfigError: There is no such topic, or `start` can't be understood.
    """
    found = _forward(store, topic, positions(store, topic, start, keep=keep), wait=wait)
    yield from islice(filter(keep, found) if keep else found, limit)


def positions(store: Store, topic: str, start: str, *, keep: Keep | None = None) -> Positions:
    """The first offset to read, for each partition.

    Raises:
        ConfigError: There is no such topic, or `start` can't be understood.
    """
    ends = _ends(store, topic)
    if start in ("start", "end"):
        return ends if start == "end" else dict.fromkeys(ends, 0)
    if re.fullmatch(r"-\d+", start):
        return _last(store, topic, ends, int(start[1:]), keep or (lambda _: True))
    if not start.startswith("@"):
        raise _unknown(start)
    at_ms = _instant_ms(start)
    return {partition: store.offset_at(topic, partition, at_ms) for partition in ends}


def _forward(store: Store, topic: str, at: Positions, *, wait: bool) -> Iterator[Record]:
    while True:
        # A look ends where the partitions end as it begins: a busy one holds up no other.
        ends = _ends(store, topic)
        for record in merge(*(_up_to(store, topic, p, at[p], ends[p]) for p in at), key=_order):
            at[record.partition] = record.offset + 1
            yield record
        if not wait:
            return
        store.wait({(topic, partition): end for partition, end in ends.items()}, _LOOK_EVERY_S)


def _up_to(store: Store, topic: str, partition: int, offset: int, end: int) -> Iterator[Record]:
    if offset >= end:
        return iter(())
    records = store.scan(topic, partition, offset=offset)
    return takewhile(lambda record: record.offset < end, records)


def _order(record: Record) -> tuple[int, int, int]:
    return record.at_ms, record.partition, record.offset


def _last(store: Store, topic: str, ends: Positions, count: int, keep: Keep) -> Positions:
    """Where to begin so that `count` records are kept: found by going back from the end."""
    at = dict(ends)
    back = merge(*(_backward(store, topic, p, ends[p]) for p in ends), key=_order, reverse=True)
    for record in back if count else ():
        at[record.partition] = record.offset
        count -= keep(record)
        if not count:
            break
    return at


def _backward(store: Store, topic: str, partition: int, end: int) -> Iterator[Record]:
    size = _FIRST_LOOK
    while end > 0:
        begin = max(0, end - size)
        yield from reversed(store.read(topic, partition, offset=begin, limit=end - begin))
        end, size = begin, min(2 * size, _MOST_AT_ONCE)


def _ends(store: Store, topic: str) -> Positions:
    there = store.topics()
    if topic not in there:
        raise ConfigError(f'There is no topic "{topic}"; there are: {", ".join(there)}.')
    return {partition: store.end(topic, partition) for partition in range(there[topic])}


def instant(said: str) -> datetime:
    """The instant of `2025-01-31T12:00` or `-10m`; without a zone it is local, as it is shown.

    Raises:
        ConfigError: It is neither.
    """
    try:
        return _instant(said)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(
            f'"{said}" is no time; write 2025-01-31T12:00, or -10m for ten minutes ago (s, m, h'
            " or d)."
        ) from error


def _instant(said: str) -> datetime:
    if ago := re.fullmatch(r"-(\d+)([smhd])", said):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    return datetime.fromisoformat(said).astimezone(UTC)


def _instant_ms(start: str) -> int:
    """The instant of `@TIME`."""
    try:
        return int(_instant(start[1:]).timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:  # the last two: a year out of range
        raise _unknown(start) from error


def _unknown(start: str) -> ConfigError:
    return ConfigError(
        f'"{start}" is no place to start at; write start, end, -10 for the last ten,'
        " @2025-01-31T12:00 for a time, or @-10m for ten minutes ago (s, m, h or d)."
    )
