"""Finds events on a broker by their ids, with an index that is read on from the log."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from aiokafka import TopicPartition as Whole

from streams.errors import LogError
from streams.kafka.client import PATIENCE_S, Client
from streams.kafka.index import Index
from streams.kafka.reader import Reader, record
from streams.log.records import Place, Record

_AT_ONCE = 1000
_WAIT_MS = int(PATIENCE_S * 1000)
_AROUND = 50  # records read where one is looked up: its neighbours are asked for next
_AROUND_BYTES = 1024 * 1024  # and no more after so many bytes
_RECENT_BYTES = 64 * 1024 * 1024


class Lookup:
    """Looks events up; many threads may use it."""

    def __init__(
        self, client: Client, path: Path, prefix: str, counts: Callable[[], dict[str, int]]
    ) -> None:
        """Open the index at `path`.

        Args:
            client: The connection.
            path: The index; another log's is begun anew.
            prefix: What the topics' names begin with.
            counts: How many partitions each topic has.
        """
        self._client, self._prefix, self._counts = client, prefix, counts
        self._reader = Reader(client, "index")
        self._index = Index(path)
        self._recent = _Recent()
        self._lock = threading.RLock()
        self._is_sound = False

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def latest_ms(self, topic: str, partition: int) -> int:
        """The latest logged time of the partition, as far as it was read."""
        return self._index.latest_ms(topic, partition)

    def seen(self, event_id: str) -> bool:
        """Whether the event is on what was read of the log so far; asks no broker."""
        return bool(self._index.places([event_id]))

    def places(self, event_ids: Iterable[str]) -> dict[str, Place]:
        """Where those of these events stand that are on the log now."""
        wanted = set(event_ids)
        self._check_once()
        found = self._index.places(wanted)
        if len(found) < len(wanted):
            self.read_on()
            found |= self._index.places(wanted - found.keys())
        return found

    def find(self, prefix: str, limit: int) -> list[Record]:
        """The records of the events whose id begins with these hexadecimal digits."""
        self._check_once()
        found = self._index.beginning(prefix, limit) if len(prefix) == _WHOLE_ID else []
        if not found:
            self.read_on()
            found = self._index.beginning(prefix, limit)
        return [self._at(place) for place in found]

    def add(self, records: list[Record]) -> None:
        """Take note of what was appended just now, where it follows on what is known."""
        self._index.add(records)

    def read_on(self) -> None:
        """Read the log to its end of now."""
        with self._lock:
            self._check_once()
            tps = [Whole(self._prefix + t, p) for t, n in self._counts().items() for p in range(n)]
            ends = self._client.call(self._reader.ends(tps))
            while _is_behind(positions := self._positions(tps), ends):
                self._take(positions)
                if self._positions(tps) == positions:
                    self._tell_gap({tp: at for tp, at in positions.items() if at < ends[tp]})

    def _tell_gap(self, behind: dict[Whole, int]) -> None:
        places = ", ".join(f"{tp.topic}[{tp.partition}]@{at}" for tp, at in behind.items())
        raise LogError(
            f"{self._client.place}: offsets are missing at {places}: a program wrote in a"
            " transaction, or records were deleted. `lem log verify` tells more."
        )

    def _take(self, positions: dict[Whole, int]) -> None:
        fetched = self._client.call(self._reader.some(positions, _AT_ONCE, _WAIT_MS))
        if not fetched:
            raise LogError(
                f"{self._client.place}: no record came for {PATIENCE_S:.0f} s, and some are left:"
                " the broker is away, or offsets are missing at the end, as after a transaction."
            )
        records = [record(each, self._prefix) for each in fetched]
        self._index.add(records)
        for each in records:
            self._recent.add(each)

    def _positions(self, tps: list[Whole]) -> dict[Whole, int]:
        read = self._index.ends()
        return {tp: read.get((tp.topic.removeprefix(self._prefix), tp.partition), 0) for tp in tps}

    def _check_once(self) -> None:
        """Begin anew where the index is of another log: one that was deleted and made again."""
        with self._lock:
            if self._is_sound:
                return
            ends = self._index.ends().items()
            if not all(self._is_of(topic, partition, end) for (topic, partition), end in ends):
                self._index.forget()
            self._is_sound = True

    def _is_of(self, topic: str, partition: int, end: int) -> bool:
        if partition >= self._counts().get(topic, 0):
            return False
        tp = Whole(self._prefix + topic, partition)
        found = self._client.call(self._reader.read(tp, end - 1, 1))
        return bool(found) and self._index.is_of(record(found[0], self._prefix))

    def _at(self, place: Place) -> Record:
        spot = place.topic, place.partition, place.offset
        with self._lock:
            if (found := self._recent.get(spot)) is None:
                tp = Whole(self._prefix + place.topic, place.partition)
                fetched = self._client.call(
                    self._reader.read(tp, place.offset, _AROUND, _AROUND_BYTES)
                )
                for each in reversed(fetched):
                    found = record(each, self._prefix)
                    self._recent.add(found)
        assert found, f"{place} was read once, and records stay"
        return found


def _is_behind(positions: dict[Whole, int], ends: dict[Whole, int]) -> bool:
    return any(at < ends[tp] for tp, at in positions.items())


class _Recent:
    """The records that were read last, by their places, up to a size."""

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, int, int], Record] = OrderedDict()
        self._bytes = 0

    def get(self, spot: tuple[str, int, int]) -> Record | None:
        return self._records.get(spot)

    def add(self, new: Record) -> None:
        spot = new.topic, new.partition, new.offset
        if spot in self._records:
            return
        self._records[spot] = new
        self._bytes += len(new.value or b"")
        while self._bytes > _RECENT_BYTES:
            _, old = self._records.popitem(last=False)
            self._bytes -= len(old.value or b"")


_WHOLE_ID = 32
