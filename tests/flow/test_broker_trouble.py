"""What a person sees of a broker that is not there, is none, goes away, or can't hold a record."""

import asyncio
import http.server
import os
import re
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager as Context
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from infra.kafka.kafka import free_ports
from streams.config import Settings
from streams.connect import connected, declare
from streams.envelope import draft
from streams.errors import LogError
from streams.log.door import Store
from streams.log.records import EVENT_ID, LARGEST_BYTES, Draft
from tests.events import probed
from tests.kafka import Kafka, needed
from tests.lem import lem, refusal, until

HERE = "127.0.0.1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def node() -> Iterator[Kafka]:
    """A node that a test may kill, and starts again."""
    needed()
    node = Kafka()
    node.start()
    yield node
    node.remove()


def opened(node: Kafka, home: Path, prefix: str) -> Store:
    found = Settings(home=str(home), broker=node.url, topic_prefix=prefix)
    store = connected(found)
    declare(store, found)
    return store


@contextmanager
def web() -> Iterator[int]:
    """A web server, by its port."""
    with http.server.HTTPServer((HERE, 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def silent() -> Iterator[int]:
    """A port where every connection is taken, and no word said."""
    with socket.create_server((HERE, 0)) as server:
        yield int(server.getsockname()[1])


def test_a_port_where_nobody_listens_is_told_with_what_starts_a_broker(home: Path) -> None:
    (port,) = free_ports(1)

    said = refusal(home, "seed", LEM_BROKER=f"kafka://{HERE}:{port}")

    assert re.search(f"no broker listens at {HERE}:{port}. .* `make kafka` .* LEM_BROKER", said)


def test_a_name_that_no_host_has_is_told(home: Path) -> None:
    said = refusal(home, "status", LEM_BROKER="kafka://no-such-host.invalid:9092")

    assert re.search("no-such-host.invalid:9092 can't be reached: .* mend LEM_BROKER", said)


@pytest.mark.parametrize("other", [web, silent])
def test_what_is_no_broker_is_told_as_such(home: Path, other: Callable[[], Context[int]]) -> None:
    with other() as port:
        said = refusal(home, "seed", LEM_BROKER=f"kafka://{HERE}:{port}")

    assert re.search(f"what answers at {HERE}:{port} is no Kafka broker.* port right", said)


def test_a_broker_behind_one_that_is_gone_is_found(home: Path, kafka: Kafka, prefix: str) -> None:
    (gone,) = free_ports(1)
    both = f"kafka://{HERE}:{gone},{HERE}:{kafka.port}"

    lem(home, "seed", env={"LEM_BROKER": both, "LEM_TOPIC_PREFIX": prefix})


def append_until(store: Store, enough: threading.Event) -> list[str]:
    """Append batch after batch, one at least when it is enough; the ids of all."""
    sent: list[str] = []
    is_last = False
    while not is_last:
        is_last = enough.is_set()
        drafts = [draft(probed(f"P{len(sent) + n}")) for n in range(20)]
        places = store.append(drafts)
        assert [each.offset for each in places] == list(range(len(sent), len(sent) + 20))
        sent += [str(each.event_id) for each in drafts]
    return sent


def test_an_append_and_a_wait_go_on_when_a_killed_broker_is_back(
    node: Kafka, home: Path, prefix: str
) -> None:
    enough = threading.Event()
    with ExitStack() as stack, ThreadPoolExecutor(2) as threads, ExitStack() as last:
        last.callback(enough.set)
        store, waiter, other = (
            stack.enter_context(closing(opened(node, home, prefix))) for _ in range(3)
        )
        waiter.wait({("scores", 0): 0}, 0.05)
        waiting = threads.submit(waiter.wait, {("scores", 0): 0}, 60)
        appending = threads.submit(append_until, store, enough)
        until(lambda: other.end("probes", 0) > 100)
        node.stop()
        assert not appending.done()
        node.start()
        enough.set()
        sent = appending.result(timeout=60)
        assert not waiting.done()
        other.append([Draft("scores", b"")])
        waiting.result(timeout=60)
        found = [dict(each.headers)[EVENT_ID].decode() for each in store.scan("probes", 0)]

    assert found == sent


ASKED: dict[str, Callable[[Store], object]] = {
    "read": lambda store: [record.offset for record in store.read("probes", 0)],
    "end": lambda store: store.end("probes", 0),
    "wait": lambda store: store.wait({("probes", 0): 1}, 60),
    "topics": lambda store: store.topics()["probes"],
    "groups": lambda store: store.groups(),
    "known": lambda store: store.known([probed("P01").id]),
    "append": lambda store: store.append([Draft("scores", b"")])[0].offset,
}
"""What a program may ask first while its broker is away."""


def test_what_is_asked_while_a_broker_is_away_is_answered_when_it_is_back(
    node: Kafka, home: Path, prefix: str
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(len(ASKED)) as threads:
        stores = [stack.enter_context(closing(opened(node, home, prefix))) for _ in ASKED]
        with closing(opened(node, home, prefix)) as store:
            store.append([draft(probed("P01")), draft(probed("P02"))])
        node.stop()
        asked = zip(ASKED.items(), stores, strict=True)
        asking = {name: threads.submit(ask, store) for (name, ask), store in asked}
        node.start()
        found = {name: work.exception(timeout=60) or work.result() for name, work in asking.items()}

    assert list(found.values()) == [[0, 1], 2, None, 1, [], {probed("P01").id}, 0]


FITS = 2 * LARGEST_BYTES - 64 * 1024  # key, headers and a frame go with it
MORE = bytes(128 * 1024)


def test_the_largest_record_fits_whatever_its_bytes_are(
    kafka: Kafka, home: Path, prefix: str
) -> None:
    with closing(opened(kafka, home, prefix)) as store:
        store.append([Draft("dead-letters", os.urandom(FITS))])

        assert [len(record.value or b"") for record in store.read("dead-letters", 0)] == [FITS]


@pytest.mark.parametrize(
    "large",
    [
        Draft("probes", bytes(FITS + 1)),
        Draft("probes", bytes(FITS), key=MORE),
        Draft("probes", bytes(FITS), headers=(("more", MORE),)),
    ],
    ids=["value", "key", "header"],
)
def test_a_record_too_large_keeps_the_rest_of_its_call_away(
    kafka: Kafka, home: Path, prefix: str, large: Draft
) -> None:
    with closing(opened(kafka, home, prefix)) as store:
        with pytest.raises(LogError, match=r"too large for probes; at most 16,711,680 fit"):
            store.append([Draft("probes", b"before"), large, Draft("scores", b"after")])

        assert set(store.ends().values()) == {0}


@asynccontextmanager
async def administered(node: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=f"{HERE}:{node.port}")
    await admin.start()
    yield admin
    await admin.close()


async def limited(node: Kafka, topic: str, most_bytes: int) -> None:
    setting = {"max.message.bytes": str(most_bytes)}
    async with administered(node) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, setting)])


def test_a_record_too_large_for_the_broker_alone_is_told_and_costs_no_later_one(
    kafka: Kafka, home: Path, prefix: str
) -> None:
    with closing(opened(kafka, home, prefix)) as store:
        store.append([Draft("probes", b"before")])
        asyncio.run(limited(kafka, f"{prefix}probes", 100_000))
        with pytest.raises(LogError, match="TooLarge") as said:
            store.append([Draft("scores", b"small"), Draft("probes", os.urandom(200_000))])
        is_whole = store.ends()["scores", 0] == 0
        store.append([Draft("probes", b"later")])

        assert [record.value for record in store.read("probes", 0)] == [b"before", b"later"]
    assert ("No record of this call is on the log" in str(said.value)) == is_whole
    assert "max.message.bytes" in str(said.value)


def appended(kafka: Kafka, home: Path, prefix: str) -> Counter[bool]:
    """How many of a few hundred events were new when a fresh connection appended them."""
    with closing(opened(kafka, home, prefix)) as store:
        return Counter(place.is_new for place in store.append(EVENTS))


EVENTS = [draft(probed(f"P{n}")) for n in range(300)]
NEW, THERE = {True: 300}, {False: 300}


def index(home: Path) -> Path:
    (found,) = (home / "kafka").rglob("index.db")
    return found


def test_an_index_that_was_deleted_is_made_again(kafka: Kafka, home: Path, prefix: str) -> None:
    assert appended(kafka, home, prefix) == NEW
    index(home).unlink()

    assert appended(kafka, home, prefix) == THERE
    assert index(home).exists()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "overwritten": lambda whole: b"\xa5" * len(whole),
    "overwritten behind its head": lambda whole: whole[:4096] + b"\xa5" * (len(whole) - 4096),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_index_is_told_with_what_to_do(
    kafka: Kafka, home: Path, prefix: str, damage: Callable[[bytes], bytes]
) -> None:
    assert appended(kafka, home, prefix) == NEW
    index(home).write_bytes(damage(index(home).read_bytes()))
    env = {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}

    said = refusal(home, "log", "show", "abcd", **env)

    assert re.search(f"{index(home)}: can't use the index of the log: .* delete it", said)
    index(home).unlink()
    assert appended(kafka, home, prefix) == THERE


async def deleted(node: Kafka, prefix: str) -> None:
    """Delete the topics of this prefix, and return when they are gone."""
    async with administered(node) as admin:
        while there := [name for name in await admin.list_topics() if name.startswith(prefix)]:
            await admin.delete_topics(there)


def test_an_index_of_a_log_that_was_begun_again_is_begun_again(
    kafka: Kafka, home: Path, prefix: str
) -> None:
    assert appended(kafka, home, prefix) == NEW
    asyncio.run(deleted(kafka, prefix))
    with closing(opened(kafka, home, prefix)) as store:
        assert store.find(str(EVENTS[7].event_id)) == []
    assert appended(kafka, home, prefix) == NEW
