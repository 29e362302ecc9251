"""A thread with an event loop, in which aiokafka's clients live; callers wait for it.

Behaviour:
* a broker that can't be reached at all is told within seconds, with a guess why;
* one that falls silent later is waited for, `PATIENCE_S` long;
* a client is made when it is first needed: who only reads opens no producer.
"""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    InvalidReplicationFactorError,
    KafkaError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.config import Settings, worker_name
from streams.errors import LogError
from streams.kafka.security import addresses, options
from streams.log.records import LARGEST_BYTES

PATIENCE_S = 60.0
"""How long a broker that was there may be away before it is an error."""

PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "zstd",
    "max_request_size": 2 * LARGEST_BYTES,
    "max_batch_size": 512 * 1024,
    "linger_ms": 0,
}
"""What every producer is made with, ours and Faust's: nothing lost, and none sends twice."""

_GREETING_S = 5.0
_AGAIN_S = 0.2
_PARTING_S = 5.0

_REFUSED = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
_FORBIDDEN = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

P = ParamSpec("P")
_ANSWERED = (ConnectionError, TimeoutError, ssl.SSLError)
"""Errors of a connection that came about, or began to."""

T = TypeVar("T")

# Without a handler Python prints to stderr what aiokafka tells on the way to an error of ours.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


class Client:
    """The clients of one connection to a broker."""

    def __init__(self, found: Settings) -> None:
        """Reach the broker.

        Raises:
            LogError: It is not there, is no broker, or refuses us.
        """
        self._addresses = addresses(found)
        hosts = ",".join(f"{host}:{port}" for host, port in self._addresses)
        self.place = f"kafka://{hosts}/{found.topic_prefix}"
        self._security = options(found)
        self._who = f'"{found.broker_user}", by {found.broker_mechanism}'
        self._common = self._security | {
            "bootstrap_servers": hosts.split(","),
            "client_id": worker_name(found.worker),
            "request_timeout_ms": int(PATIENCE_S * 1000),
        }
        self._made: dict[str, Any] = {}
        self._making = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lem-kafka")
        self._thread.daemon = True
        self._thread.start()
        try:
            self.call(self._greet())
        except BaseException:
            self.close()
            raise

    def call(self, work: Coroutine[Any, Any, T], *, verb: str = "read") -> T:
        """Do the work in the thread, and wait for what comes of it.

        Raises:
            LogError: The broker does not answer, or refuses.
        """
        with self.translated(verb):
            return self.begin(work).result()

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Have the work done in the thread, without waiting for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Let every client and the thread go."""
        if self._loop.is_closed():
            return
        self.begin(self._part()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _part(self) -> None:
        for client in self._made.values():
            await _stop(client)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:  # of a client that could not be stopped in time
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def consumer(self, name: str) -> AIOKafkaConsumer:
        """A consumer without a group; each name has one of its own."""
        return await self._started(
            name,
            lambda: AIOKafkaConsumer(
                **self._common, enable_auto_commit=False, auto_offset_reset="none"
            ),
        )

    async def producer(self) -> AIOKafkaProducer:
        """The producer, started."""
        return await self._started("producer", lambda: AIOKafkaProducer(**self._common, **PRODUCER))

    async def admin(self) -> AIOKafkaAdminClient:
        """The client for what is said of topics and groups, started."""
        return await self._started("admin", lambda: AIOKafkaAdminClient(**self._common))

    async def connection(self) -> AIOKafkaClient:
        """What lies below consumers and producers: requests and their answers, started."""
        return await self._started("connection", lambda: AIOKafkaClient(**self._common))

    async def drop(self, name: str) -> None:
        """Stop a client; the next one that is asked for is a new one."""
        async with self._making:
            if client := self._made.pop(name, None):
                await _stop(client)

    @asynccontextmanager
    async def member(self, group: str) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer that commits for a group without joining it."""
        consumer = await _start(
            lambda: AIOKafkaConsumer(**self._common, group_id=group, enable_auto_commit=False)
        )
        try:
            yield consumer
        finally:
            await consumer.stop()

    async def _started(self, name: str, make: Any) -> Any:
        async with self._making:
            if name not in self._made:
                self._made[name] = await _start(make)
            return self._made[name]

    async def _greet(self) -> None:
        """Speak to one of the brokers at least; the last one's trouble is told."""
        trouble: Exception | None = None
        for host, port in self._addresses:
            try:
                connection = await create_conn(
                    host, port, request_timeout_ms=int(_GREETING_S * 1000), **self._security
                )
                try:  # who wants a password lets us in without one, and then cuts us off
                    await connection.send(MetadataRequest([]))
                finally:
                    connection.close()
            except (OSError, KafkaError, TimeoutError) as error:
                trouble = LogError(f"{self.place}: {_guess(f'{host}:{port}', self._who, error)}")
                trouble.__cause__ = error
            else:
                return
        assert trouble  # there is an address at least
        raise trouble

    @contextmanager
    def translated(self, verb: str) -> Iterator[None]:
        """Turn the errors of aiokafka and of the network into ours."""
        try:
            yield
        except (KafkaError, OSError, TimeoutError) as error:
            said = f"{self.place}: can't {verb} the log: {_named(error)}. {_advice(error)}"
            raise LogError(said) from error


def patient(ask: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Ask again while the broker is not ready: it began, or gave a group to another, just now."""

    @wraps(ask)
    async def asked(*args: P.args, **named: P.kwargs) -> T:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await ask(*args, **named)
            except KafkaError as error:
                if not error.retriable or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_AGAIN_S)

    return asked


@patient
async def _start(make: Callable[[], Any]) -> Any:
    client = make()
    try:
        await (client.bootstrap if isinstance(client, AIOKafkaClient) else client.start)()
    except BaseException:
        await _stop(client)
        raise
    return client


async def _stop(client: Any) -> None:
    """Stop a client; one that still waits for a broker that is away is let go."""
    has_close = isinstance(client, AIOKafkaAdminClient | AIOKafkaClient)
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(_PARTING_S):
            await (client.close() if has_close else client.stop())


def _guess(where: str, who: str, error: Exception) -> str:
    """Why nobody answers there as a broker does."""
    start = "Start one with `make up` (Docker) or `make kafka` (Java), or mend LEM_BROKER."
    if isinstance(error, _REFUSED):
        return f"{where} refuses us ({who}): {_named(error)}. {_advice(error)}"
    if isinstance(error, ConnectionRefusedError):
        return f"no broker listens at {where}. {start}"
    if isinstance(error, OSError) and not isinstance(error, _ANSWERED):
        return f"{where} can't be reached: {error}. {start}"
    return (
        f"what answers at {where} is no Kafka broker, or one that wants TLS or a password"
        f" ({_named(error)}). Is the port right? See LEM_BROKER_TLS and LEM_BROKER_USER."
    )


def _named(error: BaseException) -> str:
    name, said = type(error).__name__, str(error).rstrip(".")
    return f"{name}: {said}" if said and "<" not in said else name  # an object says nothing


def _advice(error: Exception) -> str:
    if isinstance(error, _REFUSED):
        return "Check LEM_BROKER_USER, LEM_BROKER_PASSWORD and LEM_BROKER_MECHANISM."
    if isinstance(error, _FORBIDDEN):
        return "The user lacks a right on these topics or groups; its broker's owner can give it."
    if isinstance(error, InvalidReplicationFactorError):
        return "The cluster has fewer brokers than LEM_REPLICATION asks for."
    if isinstance(error, MessageSizeTooLargeError):
        return (
            "The topic's max.message.bytes is too small. A part of this call may be on the log; the"
            " same again completes it."
        )
    if getattr(error, "retriable", True):
        return (
            f"It was waited for, {PATIENCE_S:.0f} s long. What is on the log stays; the same again"
            " does the rest."
        )
    return "What was acknowledged is on the log."
