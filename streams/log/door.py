"""The one door to the log for whoever reads or writes many records outside Faust.

Two logs stand behind it: a file (`streams.log.store`) and a broker (`streams.kafka.broker`). What
both promise is written down, and held against both, in `tests/contract/test_log.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from streams.log.records import Draft, Place, Record, TopicPartition


class Store(Protocol):
    """A connection to a log; it belongs to one thread at a time.

    Whatever goes wrong leaves it as a `LogError`.
    """

    @property
    def place(self) -> str:
        """Where the log is, for messages: a path, or an address with the prefix."""

    @property
    def folder(self) -> str:
        """The folder below the home for what is computed from this log."""

    @property
    def prefix(self) -> str:
        """What Faust's names of topics and of the group begin with here."""

    @property
    def slack_ms(self) -> int:
        """How far a logged time may lie before that of the record ahead of it."""

    @property
    def is_shared(self) -> bool:
        """Whether many writers may append one event at the same instant, so that it stands twice.

        Readers then take the first. Also whether a group may have many workers.
        """

    def faust(self) -> dict[str, Any]:
        """Settings for a Faust app whose agents work on this log."""

    def close(self) -> None:
        """Close the connection; the log can be opened again."""

    def topics(self) -> dict[str, int]:
        """How many partitions each topic has, by name."""

    def declare(self, topic: str, partitions: int) -> int:
        """Make the topic where it is missing; return how many partitions it has."""

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """The partition that records of this key go to."""

    def append(self, drafts: Sequence[Draft]) -> list[Place]:
        """Append the drafts durably, those of known events left out; where each one stands.

        Drafts that can't be appended are refused before any of them is. On a broker a crash may
        leave a part appended; the same drafts again complete it.
        """

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Note the first offset that the group has not done yet, for each partition."""

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """The group's committed offsets; a partition without one is missing."""

    def groups(self) -> list[str]:
        """Every consumer group that ever committed."""

    def workers(self) -> dict[str, list[str]]:
        """Who works in each group now, as a person would look for them; idle groups are missing."""

    def held(self, group: str) -> AbstractContextManager[None]:
        """Take the place of the group's worker.

        Raises:
            GroupTaken: A worker is running; the message names it.
        """

    def read(
        self, topic: str, partition: int, *, offset: int = 0, limit: int = 1000
    ) -> list[Record]:
        """The records of a partition from `offset` on, at most `limit`."""

    def values(
        self, topic: str, partition: int, *, offset: int = 0, limit: int = 1000
    ) -> Iterable[tuple[int, int, bytes | None]]:
        """Offset, logged time and value alone: quicker than `read`."""

    def scan(self, topic: str, partition: int, *, offset: int = 0) -> Iterator[Record]:
        """Every record of a partition from `offset` on, read in batches."""

    def end(self, topic: str, partition: int) -> int:
        """The offset that the partition's next record will have."""

    def records(self, topic: str) -> int:
        """How many records the topic has, over all its partitions."""

    def ends(self) -> dict[TopicPartition, int]:
        """The end of every partition of every topic."""

    def offset_at(self, topic: str, partition: int, at_ms: int) -> int:
        """The first offset whose record was appended at `at_ms` or later."""

    def find(self, event_id: str, *, limit: int = 10) -> list[Record]:
        """The records of the events whose id begins with these hexadecimal digits."""

    def known(self, event_ids: Iterable[str]) -> set[str]:
        """Those of the ids that the log has already."""

    def wait(self, ends: Mapping[TopicPartition, int], timeout_s: float) -> None:
        """Return when a partition goes beyond one of these ends, or when the time is over."""

    def check(self) -> list[str]:
        """What is wrong with what the log lies on; empty for a sound one."""
