"""How much of the log, and by which recipe, as a person says it: offsets, a time, a dataset."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from agents.dataset.folder import MANIFEST, read
from schemas import Materialized
from streams.envelope import event
from streams.errors import ConfigError
from streams.log.door import Store
from streams.log.records import EVENT_ID, TopicPartition
from streams.topics import DATASETS, DEAD_LETTERS

_ID = re.compile(r"[0-9a-f]{4,32}")
_DATE = re.compile(r"\d{8}")
_OFFSET = re.compile(r"([a-z-]+):(\d+)=(\d+)")
_UNUSED = (DATASETS.name, DEAD_LETTERS.name)


def manifest_of(store: Store, said: str) -> Materialized | None:
    """The manifest that is meant: of a folder, of a file, or of an id that begins so.

    None where it is neither, and so a time or offsets; 20260131 is a time.

    Raises:
        ConfigError: There is no such dataset, or more than one.
    """
    return _in_file(said) or (None if _is_date(said) else _on_log(store, said))


def dataset(store: Store, said: str) -> Materialized:
    """The manifest of a folder, of a file, or of an id that begins so.

    Raises:
        ConfigError: There is none.
    """
    if made := _in_file(said) or _on_log(store, said):
        return made
    raise ConfigError(
        f'"{said}" is no dataset: neither a folder with {MANIFEST}, nor the beginning of an id,'
        " 4 hexadecimal digits or more. `lem dataset list` shows them."
    )


def _in_file(said: str) -> Materialized | None:
    path = Path(said)
    return read(path) if path.is_file() or (path / MANIFEST).is_file() else None


def _on_log(store: Store, said: str) -> Materialized | None:
    if not _ID.fullmatch(said.lower()):
        return None
    made = _beginning(store, said.lower())
    if len(made) == 1:
        return made[0]
    raise ConfigError(
        f'{len(made) or "No"} datasets on {store.place} have an id that begins with "{said}".'
        " `lem dataset list` shows them."
    )


def _beginning(store: Store, digits: str) -> list[Materialized]:
    """The datasets with such an id. Events of other topics may have it by the thousand."""
    found = {}
    for partition in range(store.topics().get(DATASETS.name, 0)):
        for record in store.scan(DATASETS.name, partition):
            name = dict(record.headers).get(EVENT_ID) or b""
            if name.startswith(digits.encode()) and name not in found:
                found[name] = event(record)
    return [each for each in found.values() if isinstance(each, Materialized)]


def ends_of(store: Store, said: str) -> Mapping[TopicPartition, int]:
    """How far to read the log: as `decisions:0=500,scores:0=700`, or up to a time.

    Raises:
        ConfigError: It is neither, or the offsets leave out what has records: read to its end of
            now, it would give other bytes later.
    """
    there = {place: end for place, end in store.ends().items() if place[0] not in _UNUSED}
    if "=" in said:
        return _whole(_offsets(said, there), there)
    at_ms = _at_ms(said)
    return {place: store.offset_at(*place, at_ms) for place in there}


def _offsets(said: str, there: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    found: dict[TopicPartition, int] = {}
    for part in said.split(","):
        match = _OFFSET.fullmatch(part.strip())
        if not match or (place := (match[1], int(match[2]))) not in there:
            raise ConfigError(
                f'"{part.strip()}" is no place on the log; write TOPIC:PARTITION=END, as'
                " decisions:0=500, where END is the first offset that is not read."
                " `lem log topics` shows the topics."
            )
        found[place] = int(match[3])
    return found


def _whole(
    named: dict[TopicPartition, int], there: dict[TopicPartition, int]
) -> dict[TopicPartition, int]:
    missing = [place for place, end in there.items() if end and place not in named]
    if missing:
        every = sorted((there | named).items())
        topic, partition = missing[0]
        raise ConfigError(
            f"{topic}:{partition} has records and no END, and later it may have more. Name every"
            f" topic; with those of now: {','.join(f'{t}:{p}={end}' for (t, p), end in every)}"
        )
    return dict.fromkeys(there, 0) | named


def _is_date(said: str) -> bool:
    """Whether it is a day in digits alone, which might be taken for the beginning of an id."""
    if not _DATE.fullmatch(said):
        return False
    try:
        datetime.fromisoformat(said)
    except ValueError:
        return False
    return True


def _at_ms(said: str) -> int:
    try:
        at = datetime.fromisoformat(said)
    except ValueError as error:
        raise ConfigError(
            f'"{said}" is no time, no offsets and no dataset; write 2026-01-31T12:00,'
            " decisions:0=500, a manifest's path or the beginning of a dataset's id."
        ) from error
    # The log of one machine is read on another: without a zone it is UTC on each of them.
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
