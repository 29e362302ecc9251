"""The Faust app, made from Settings: what is common to all agents, and what stops them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import faust

from schemas.base import Fact
from streams import envelope
from streams.config import Settings
from streams.connect import connected, declare
from streams.curriculum import load
from streams.errors import LemError, LogError
from streams.log.records import Draft

_COMMIT_EVERY_S = 0.5  # what a kill may make a worker do again
_PREFETCH = 200  # records ahead of an agent: of 100 KB each 20 MB a topic, of the largest 1.6 GB

T = TypeVar("T")


class App(faust.App):
    """The worker's app: agents take from it what is common to them."""

    def __init__(self, settings: Settings) -> None:
        self.store = connected(settings)
        """For looking things up, by way of `look_up`; what is told goes through the producer."""
        try:
            declare(self.store, settings)
            self.curriculum = load(Path(settings.curriculum))
        except BaseException:
            self.store.close()
            raise
        folder = settings.home_path / "faust"
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(
            self.store.prefix + settings.group,
            **self.store.faust(),
            store="memory://",
            datadir=str(folder),
            topic_partitions=settings.partitions,
            topic_disable_leader=True,
            broker_commit_interval=_COMMIT_EVERY_S,
            stream_buffer_maxsize=_PREFETCH,
            stream_wait_empty=False,  # what is prefetched is not begun, and comes again
            web_enabled=False,
            key_serializer="raw",
            value_serializer="raw",
        )
        self.settings = settings
        self.leaving = asyncio.Event()
        """Set when the worker is to stop: no agent begins another record."""
        self.failure: Exception | None = None
        """Why it is to stop, where it is not by wish."""
        self.busy = 0
        """How many records agents are at work on, or have told of and not yet on the log."""
        self.unsettled: set[str] = set(self.curriculum.phases)
        """Phases whose dataset may have changed since it was last looked at."""
        self.closing: list[Callable[[], None]] = []
        """What is to be let go when the worker has stopped."""
        self._inputs: set[str] = set()
        self._thread = ThreadPoolExecutor(1, "lem-look-up")

    def records_of(self, topic: str) -> Any:
        """The records of one of our topics, for an agent to read."""
        self._inputs.add(topic)
        return self.topic(self.store.prefix + topic)

    async def look_up(self, function: Callable[..., T], *values: Any) -> T:
        """Call what reads the log, away from the event loop: a broker may keep it waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *values)

    def close(self) -> None:
        """Let go of what the agents hold; called when the app has stopped."""
        for let_go in self.closing:
            let_go()
        self._thread.shutdown(cancel_futures=True)
        self.store.close()

    def fail(self, error: Exception) -> None:
        """Stop the worker; the first error is the one that is told."""
        self.failure = self.failure or error
        self.leaving.set()

    def assigned(self, topic: str) -> list[int] | None:
        """The topic's partitions that this worker reads; none before it has been given any."""
        if not self.consumer_generation_id:
            return None
        name = self.store.prefix + topic
        return [tp.partition for tp in self.consumer.assignment() if tp.topic == name]

    async def is_drained(self) -> bool:
        """Whether every record that agents read was handled, and its effects are on the log.

        Those of the whole group: what another worker is at may become work for this one.
        """
        return self.busy == 0 and await self.look_up(self._is_read)

    def _is_read(self) -> bool:
        done = self.store.committed(self.settings.group)
        ends = self.store.ends().items()
        return all(done.get(tp, 0) >= end for tp, end in ends if tp[0] in self._inputs)

    async def tell(self, event: Fact) -> None:
        """Send the event to its topic, and return when it is on the log."""
        await (await self.put(envelope.draft(event)))

    async def put(self, draft: Draft) -> "asyncio.Future[Any]":
        """Send a record; the future is done when it is on the log."""
        topic = self.topic(self.store.prefix + draft.topic)
        sent = topic.as_future_message(draft.key, draft.value, headers=dict(draft.headers))
        await topic.publish_message(sent)
        return sent


def as_ours(error: BaseException, place: str) -> LemError:
    """What stopped a worker, as one line for a person."""
    if isinstance(error, LemError):
        return error
    found = LogError(
        f"{place}: the worker stopped: {type(error).__name__}: {error}. Everything acknowledged is"
        " on the log; `lem run` goes on, and with --verbose tells where it happens."
    )
    found.__cause__ = error
    return found
