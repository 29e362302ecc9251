"""The Faust app, made from Settings, and the loop that every agent runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import faust
from faust.types import Message

from schemas.base import Fact
from streams import envelope
from streams.config import Settings
from streams.connect import connected
from streams.curriculum import load
from streams.errors import LemError, UnreadableRecord
from streams.log.records import Draft, Record

_COMMIT_EVERY_S = 0.5  # what a kill may make a worker do again
_PREFETCH = 200  # records ahead of an agent; at 100 KB each that is 20 MB a topic

F = TypeVar("F", bound=Fact)
Handle = Callable[[F], Awaitable[Iterable[Fact]]]
log = logging.getLogger(__name__)


class App(faust.App):
    """The worker's app: agents take from it what is common to them."""

    def __init__(self, settings: Settings) -> None:
        self.store = connected(settings)
        """For looking things up; what is told goes through the producer."""
        super().__init__(
            settings.group,
            **self.store.faust(),
            store="memory://",
            datadir=str(settings.home_path / "faust"),
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
        self.curriculum = load(Path(settings.curriculum))
        self.leaving = asyncio.Event()
        """Set when the worker is to stop: no agent begins another record."""
        self.failure: Exception | None = None
        """Why it is to stop, where it is not by wish."""
        self.busy = 0
        """How many records agents are at work on."""
        self.unsettled: set[str] = set(self.curriculum.phases)
        """Phases whose dataset may have changed since it was last looked at."""
        self.closing: list[Callable[[], None]] = []
        """What is to be let go when the worker has stopped."""

    def close(self) -> None:
        """Let go of what the agents hold; called when the app has stopped."""
        for let_go in self.closing:
            let_go()
        self.store.close()

    def fail(self, error: Exception) -> None:
        """Stop the worker; the first error is the one that is told."""
        self.failure = self.failure or error
        self.leaving.set()

    def is_drained(self) -> bool:
        """Whether every record that an agent reads was handled, and its effects are on the log."""
        taken = self.consumer.assignment()
        done = self.store.committed(self.conf.id)
        return (
            bool(taken)
            and self.busy == 0
            and all(done.get((tp.topic, tp.partition), 0) == self.store.end(*tp) for tp in taken)
        )

    async def tell(self, event: Fact) -> None:
        """Send the event to its topic; the offset of what led to it is committed behind it."""
        await self.put(envelope.draft(event))

    async def put(self, draft: Draft) -> None:
        """Send a record; if it can't be written, the producer stops the worker."""
        topic = self.topic(draft.topic)
        sent = topic.as_future_message(draft.key, draft.value, headers=dict(draft.headers))
        # Told by the producer already; asyncio would tell it again.
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        await topic.publish_message(sent)


async def work(app: App, stream: Any, kind: type[F], handle: Handle[F], *, step: str) -> None:
    """Hand each event of the stream to `handle`, tell what it returns, then acknowledge.

    A record that can't be read, or that makes `handle` fail, is buried and stops nobody. A
    `LemError` stops the worker instead: it is the user's to mend, and the record is not
    acknowledged, so that it is done again.
    """
    stream.enable_acks = False  # Faust takes what was cancelled or failed for done too
    async for event in stream.events():
        if app.leaving.is_set():
            await _leave()
        app.busy += 1
        try:
            for draft in await _handled(event.message, kind, handle, step):
                await app.put(draft)
        except LemError as error:
            app.fail(error)
        else:
            event.ack()
        finally:
            app.busy -= 1


async def _handled(message: Message, kind: type[F], handle: Handle[F], step: str) -> list[Draft]:
    record = _record(message)
    try:
        event = envelope.event(record)
        found = await handle(event) if isinstance(event, kind) else ()
        return [envelope.draft(fact) for fact in found]
    except UnreadableRecord as error:
        said = str(error)
    except LemError:
        raise
    except Exception as error:  # a fault of ours: kept with the record, no reason to stop others
        log.info("%s failed at %s", step, record[:3], exc_info=True)
        said = f"{step} failed: {type(error).__name__}: {error}"
    return [envelope.draft(envelope.buried(record, step=step, error=said))]


def _record(message: Message) -> Record:
    """Faust's message as a record of the log; what `handle` needs of it."""
    topic, partition, offset = message.topic, message.partition, message.offset
    return Record(topic, partition, offset, 0, message.key, message.value, ())


async def _leave() -> None:
    """Wait to be cancelled: the record at hand is not begun, and not acknowledged."""
    await asyncio.Event().wait()
