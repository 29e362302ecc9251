"""The loops that agents run over their records: one after the other, or many at once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

from faust.types import TP, Message

from schemas.base import Fact
from streams import envelope
from streams.app import App, as_ours
from streams.errors import LemError, RecordTooLarge, UnreadableRecord
from streams.log.records import Draft, Record

_MOST_BEGUN = 2000  # records not acknowledged: of 100 KB each 200 MB

F = TypeVar("F", bound=Fact)
Handle = Callable[[F], Awaitable[Iterable[Fact]]]
Wanted = Callable[[], bool]
"""Whether a record that was not really begun yet should be: no more when the worker leaves, or
when its partition went to another one."""
Join = Callable[[F, Wanted], Awaitable[Iterable[Fact]]]
log = logging.getLogger(__name__)


async def work(app: App, stream: Any, kind: type[F], handle: Handle[F], *, step: str) -> None:
    """Hand each event of the stream to `handle`, tell what it returns, then acknowledge.

    A record that can't be read, or that makes `handle` fail, is buried and stops nobody. A
    `LemError` stops the worker instead: it is the user's to mend, and the record is not
    acknowledged, so that it is done again.
    """
    stream.enable_acks = False  # Faust takes what was cancelled or failed for done too
    told = _Acknowledging(app)
    async for event in stream.events():
        if app.leaving.is_set():
            await _leave()
        place = told.begin(event)
        try:
            drafts = await _handled(app, event.message, kind, handle, step)
            told.add(place, [await app.put(draft) for draft in drafts])
        except Exception as error:
            app.fail(as_ours(error, app.store.place))
            told.drop(place)
        except BaseException:
            told.drop(place)
            raise


async def work_together(
    app: App, stream: Any, kind: type[F], handle: Join[F], *, step: str
) -> None:
    """As `work`, with many records under way: each is told when it is done, in whatever order.

    They are begun in the stream's order, and acknowledged in that of their partition. `handle`
    holds back what it has no room for; where its `Wanted` says no, it raises CancelledError, and
    the record is not acknowledged.
    """
    stream.enable_acks = False
    together = _Together(app, kind, handle, step)
    try:
        async for event in stream.events():
            await together.room()
            if app.leaving.is_set():
                await _leave()
            together.begin(event)
    finally:
        together.cancel()


class _Together(Generic[F]):
    """The records of one agent that are under way, a task each."""

    def __init__(self, app: App, kind: type[F], handle: Join[F], step: str) -> None:
        self._app, self._kind, self._handle, self._step = app, kind, handle, step
        self._told = _Acknowledging(app)
        self._tasks: dict[tuple[TP, int], asyncio.Task[None]] = {}

    async def room(self) -> None:
        """Wait while too many are not acknowledged, behind one that takes long."""
        while self._told.begun >= _MOST_BEGUN:
            self._told.changed.clear()
            await self._told.changed.wait()

    def begin(self, event: Any) -> None:
        spot = event.message.tp, event.message.offset
        place = self._told.begin(event)
        task = asyncio.create_task(self._do(place, event.message, self._tasks.get(spot)))
        self._tasks[spot] = task
        task.add_done_callback(partial(self._forget, spot))

    def cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def _do(
        self, place: "_Place", message: Message, before: "asyncio.Task[None] | None"
    ) -> None:
        """See one record through.

        Args:
            place: Where it is acknowledged.
            message: The record.
            before: The same record, when partitions changed hands while it was under way.
        """

        async def handle(event: F) -> Iterable[Fact]:
            return await self._handle(event, partial(self._is_wanted, message))

        try:
            if before:
                await asyncio.wait([before])
            drafts = await _handled(self._app, message, self._kind, handle, self._step)
            sent = [await self._app.put(draft) for draft in drafts]
        except Exception as error:
            self._app.fail(as_ours(error, self._app.store.place))
            self._told.drop(place)
        except BaseException:
            self._told.drop(place)
            raise
        else:
            self._told.add(place, sent)
            if sent:  # the same record, should it come again, finds them on the log
                await asyncio.wait(sent)

    def _is_wanted(self, message: Message) -> bool:
        if self._app.leaving.is_set():
            return False
        is_newest = message.generation_id == self._app.consumer_generation_id
        return is_newest or message.tp in self._app.consumer.assignment()

    def _forget(self, spot: tuple[TP, int], task: "asyncio.Task[None]") -> None:
        if self._tasks.get(spot) is task:
            del self._tasks[spot]


class _Line:
    """The records of a partition that were begun, in their order."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        """Since partitions changed hands for the n-th time: then the committed come again."""
        self.places: deque[_Place] = deque()


class _Place:
    """A record that was begun."""

    def __init__(self, event: Any, line: _Line) -> None:
        self.event, self.line = event, line
        self.is_busy = True
        self.sent: list[asyncio.Future[Any]] | None = None
        """Its effects, on their way to the log; none before it was handled."""

    @property
    def is_told(self) -> bool:
        return self.sent is not None and all(map(asyncio.Future.done, self.sent))


class _Acknowledging:
    """Acknowledges an agent's records in the order of each partition, when theirs is on the log.

    In that order, since Faust commits past what is not acknowledged where more than one record of
    a partition is under way. After a failure nothing more is acknowledged.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._lines: dict[TP, _Line] = {}
        self.changed = asyncio.Event()
        """Set when `begun` may have become less."""

    @property
    def begun(self) -> int:
        """How many records were begun, and will be acknowledged."""
        return sum(len(line.places) for line in self._lines.values())

    def begin(self, event: Any) -> _Place:
        """Take a record's place in the order; it is busy until it is told or dropped."""
        tp, generation = event.message.tp, event.message.generation_id
        line = self._lines.get(tp)
        if line is None or line.generation != generation:
            line = self._lines[tp] = _Line(generation)
        place = _Place(event, line)
        line.places.append(place)
        self._app.busy += 1
        return place

    def add(self, place: _Place, sent: "list[asyncio.Future[Any]]") -> None:
        """The record was handled: acknowledge it when these are done."""
        place.sent = sent
        for each in sent:
            each.add_done_callback(partial(self._look, place))
        self._look(place)

    def drop(self, place: _Place) -> None:
        """Leave the record undone, and what is behind it unacknowledged: all of it comes again."""
        self._rest(place)
        tp = place.event.message.tp
        if self._lines.get(tp) is place.line:
            del self._lines[tp]
        self.changed.set()

    def _look(self, place: _Place, done: "asyncio.Future[Any] | None" = None) -> None:
        if done and (error := _failure(done)):
            self._app.fail(as_ours(error, self._app.store.place))
        if place.is_told:
            self._rest(place)
        places = place.line.places
        while places and places[0].is_told:
            first = places.popleft()
            if not self._app.failure and not any(map(_failure, first.sent or ())):
                first.event.ack()
        self.changed.set()

    def _rest(self, place: _Place) -> None:
        self._app.busy -= place.is_busy
        place.is_busy = False


def _failure(done: "asyncio.Future[Any]") -> BaseException | None:
    return asyncio.CancelledError() if done.cancelled() else done.exception()


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
