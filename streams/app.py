"""The Faust app, made from Settings, and the loop that every agent runs."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import faust
from faust.types import Message

from schemas.base import Fact
from streams import envelope
from streams.config import Settings
from streams.connect import connected, declare
from streams.curriculum import load
from streams.errors import LemError, LogError, RecordTooLarge, UnreadableRecord
from streams.log.records import Draft, Record

_COMMIT_EVERY_S = 0.5  # what a kill may make a worker do again
_PREFETCH = 200  # records ahead of an agent: of 100 KB each 20 MB a topic, of the largest 1.6 GB

F = TypeVar("F", bound=Fact)
T = TypeVar("T")
Handle = Callable[[F], Awaitable[Iterable[Fact]]]
log = logging.getLogger(__name__)


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
        """How many records agents are at work on."""
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


async def work(app: App, stream: Any, kind: type[F], handle: Handle[F], *, step: str) -> None:
    """Hand each event of the stream to `handle`, tell what it returns, then acknowledge.

    A record that can't be read, or that makes `handle` fail, is buried and stops nobody. A
    `LemError` stops the worker instead: it is the user's to mend, and the record is not
    acknowledged, so that it is done again.
    """
    stream.enable_acks = False  # Faust takes what was cancelled or failed for done too
    done = _Acknowledging(app)
    async for event in stream.events():
        if app.leaving.is_set():
            await _leave()
        app.busy += 1
        try:
            drafts = await _handled(app, event.message, kind, handle, step)
            done.add(event, [await app.put(draft) for draft in drafts])
        except Exception as error:
            app.fail(as_ours(error, app.store.place))
            app.busy -= 1
        except BaseException:
            app.busy -= 1
            raise


class _Told(NamedTuple):
    """A record that was handled, and its effects on their way to the log."""

    event: Any
    sent: "list[asyncio.Future[Any]]"


class _Acknowledging:
    """Acknowledges an agent's records in their order, each when its effects are on the log.

    In their order, since Faust commits past what is not acknowledged where more than one record of
    a partition is under way. After a failure nothing more is acknowledged.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._waiting: deque[_Told] = deque()

    def add(self, event: Any, sent: "list[asyncio.Future[Any]]") -> None:
        self._waiting.append(_Told(event, sent))
        for each in sent:
            each.add_done_callback(self._look)
        self._look()

    def _look(self, done: "asyncio.Future[Any] | None" = None) -> None:
        if done and (error := _failure(done)):
            self._app.fail(as_ours(error, self._app.store.place))
        while self._waiting and all(map(asyncio.Future.done, self._waiting[0].sent)):
            event, sent = self._waiting.popleft()
            self._app.busy -= 1
            if not self._app.failure and not any(map(_failure, sent)):
                event.ack()


def _failure(done: "asyncio.Future[Any]") -> BaseException | None:
    return asyncio.CancelledError() if done.cancelled() else done.exception()


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


async def _handled(
    app: App, message: Message, kind: type[F], handle: Handle[F], step: str
) -> list[Draft]:
    record = _record(message, app.store.prefix)
    try:
        event = envelope.event(record)
        found = await handle(event) if isinstance(event, kind) else ()
        return [envelope.draft(fact) for fact in found]
    except (UnreadableRecord, RecordTooLarge) as error:
        said = str(error)
    except LemError:
        raise
    except Exception as error:  # a fault of ours: kept with the record, no reason to stop others
        log.info("%s failed at %s", step, record[:3], exc_info=True)
        said = f"{step} failed: {type(error).__name__}: {error}"
    return [envelope.draft(envelope.buried(record, step=step, error=said))]


def _record(message: Message, prefix: str) -> Record:
    """Faust's message as a record of the log; what `handle` needs of it."""
    topic, partition, offset = message.topic, message.partition, message.offset
    topic = topic.removeprefix(prefix)
    return Record(topic, partition, offset, 0, message.key, message.value, ())


async def _leave() -> None:
    """Wait to be cancelled: the record at hand is not begun, and not acknowledged."""
    await asyncio.Event().wait()
