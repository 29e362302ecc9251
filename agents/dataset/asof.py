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
from streams.log.records import TopicPartition
from streams.topics import DATASETS, DEAD_LETTERS

_ID = re.compile(r"[0-9a-f]{4,32}")
_OFFSET = re.compile(r"([a-z-]+):(\d+)=(\d+)")
_UNUSED = (DATASETS.name, DEAD_LETTERS.name)


def manifest_of(store: Store, said: str) -> Materialized | None:
    """The manifest that is meant: of a folder, of a file, or of an id that begins so.

    None where it is neither, and so a time or offsets.

    Raises:
        ConfigError: There is no such dataset, or more than one.
    """
    path = Path(said)
    if path.is_file() or (path / MANIFEST).is_file():
        return read(path)
    if not _ID.fullmatch(said.lower()):
        return None
    found = [event(record) for record in store.find(said.lower())]
    made = [each for each in found if isinstance(each, Materialized)]
    if len(made) == 1:
        return made[0]
    raise ConfigError(
        f'{len(made) or "No"} datasets on {store.place} have an id that begins with "{said}".'
        " `lem dataset list` shows them."
    )


def dataset(store: Store, said: str) -> Materialized:
    """The manifest of a folder, of a file, or of an id that begins so.

    Raises:
        ConfigError: There is none.
    """
    if made := manifest_of(store, said):
        return made
    raise ConfigError(
        f'"{said}" is no dataset: neither a folder with {MANIFEST}, nor the beginning of an id,'
        " 4 hexadecimal digits or more. `lem dataset list` shows them."
    )


def ends_of(store: Store, said: str) -> Mapping[TopicPartition, int]:
    """How far to read the log: as `decisions:0=500,scores:0=700`, or up to a time.

    Topics that are not named are read to their ends of now.

    Raises:
        ConfigError: It is neither.
    """
    there = {place: end for place, end in store.ends().items() if place[0] not in _UNUSED}
    if "=" in said:
        return there | _offsets(said, there)
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


def _at_ms(said: str) -> int:
    try:
        at = datetime.fromisoformat(said)
    except ValueError as error:
        raise ConfigError(
            f'"{said}" is no time, no offsets and no dataset; write 2026-01-31T12:00,'
            " decisions:0=500, a manifest's path or the beginning of a dataset's id."
        ) from error
    return int(at.astimezone(UTC).timestamp() * 1000)
