"""The writer's thread: all in order, many writes in one transaction, none after one was lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from streams.errors import LogError
from streams.log.records import Draft, Place
from streams.log.store import EmbeddedStore
from streams.log.writer import Writer

TOPIC = ("probes", 0)
BAD = Draft("nowhere", b"")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def no_log(path: Path) -> Path:
    path.write_bytes(b"no log" * 1000)
    return path


@pytest.fixture
def reader(path: Path) -> Iterator[EmbeddedStore]:
    """Another connection to the log, which has one topic."""
    store = EmbeddedStore(path)
    store.declare("probes", 1)
    yield store
    store.close()


@pytest.fixture
async def writer(reader: EmbeddedStore) -> AsyncIterator[Writer]:
    opened = Writer(reader.path, "lem")
    yield opened
    opened.close()


def probe(number: int) -> Draft:
    return Draft("probes", b"%d" % number)


def read(store: EmbeddedStore) -> list[int]:
    return [int(record.value or b"") for record in store.scan(*TOPIC)]


async def told(*futures: Awaitable[list[Place]]) -> list[list[Place]]:
    """What every write was told; a write that is never told fails the test."""
    async with asyncio.timeout(30):
        return await asyncio.gather(*futures)


async def errors_of(*futures: Awaitable[list[Place]]) -> list[object]:
    async with asyncio.timeout(30):
        return list(await asyncio.gather(*futures, return_exceptions=True))


@contextmanager
def kept_waiting(path: Path) -> Iterator[None]:
    """Hold the file as a foreign writer does: one write waits for it, the others behind it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


async def test_a_write_is_told_where_its_records_stand(
    writer: Writer, reader: EmbeddedStore
) -> None:
    (places,) = await told(writer.write((probe(0), probe(1))))

    assert [(place.topic, place.partition, place.offset) for place in places] == [
        ("probes", 0, 0),
        ("probes", 0, 1),
    ]
    assert read(reader) == [0, 1]


async def test_writes_keep_the_order_in_which_they_were_asked_for(
    writer: Writer, reader: EmbeddedStore
) -> None:
    futures = [writer.write((probe(2 * n), probe(2 * n + 1))) for n in range(300)]

    answers = await told(*futures)

    assert read(reader) == list(range(600))
    assert [place.offset for places in answers for place in places] == list(range(600))


async def test_more_than_fits_into_one_transaction_keeps_its_order(
    writer: Writer, reader: EmbeddedStore
) -> None:
    futures = [writer.write(tuple(probe(50 * n + i) for i in range(50))) for n in range(100)]

    await told(*futures)

    assert read(reader) == list(range(5000))


async def test_an_offset_is_on_the_log_once_its_write_is_done(
    writer: Writer, reader: EmbeddedStore
) -> None:
    await told(writer.write((), offsets={TOPIC: 3}))

    assert reader.committed("lem") == {TOPIC: 3}


async def test_the_last_of_many_offsets_counts(writer: Writer, reader: EmbeddedStore) -> None:
    futures = [writer.write((), offsets={TOPIC: n}) for n in range(100)]

    await told(*futures)

    assert reader.committed("lem") == {TOPIC: 99}


async def test_an_offset_is_never_seen_before_the_append_it_stands_behind(
    writer: Writer, reader: EmbeddedStore
) -> None:
    last = asyncio.get_running_loop().create_future()
    for n in range(200):
        writer.write((probe(n),))
        last = writer.write((), offsets={TOPIC: n + 1})

    seen = []
    async with asyncio.timeout(30):
        while not last.done():
            committed = reader.committed("lem").get(TOPIC, 0)
            seen.append((committed, reader.end(*TOPIC)))
            await asyncio.sleep(0)

    assert all(committed <= end for committed, end in seen)
    assert reader.committed("lem") == {TOPIC: 200}


def transactions(path: Path) -> int:
    """How many stand in the write-ahead log: a frame that ends one says the file's size."""
    wal = path.with_name("log.db-wal").read_bytes()
    page = int.from_bytes(wal[8:12], "big")
    frames = [wal[start : start + 24] for start in range(32, len(wal), 24 + page)]
    return sum(frame[4:8] != bytes(4) for frame in frames if frame[8:16] == wal[16:24])


async def test_what_came_together_is_written_together(
    writer: Writer, reader: EmbeddedStore, path: Path
) -> None:
    before = transactions(path)
    with kept_waiting(path):
        futures = [writer.write((probe(n),)) for n in range(100)]
    await told(*futures)

    assert 1 <= transactions(path) - before <= 2
    assert read(reader) == list(range(100))


async def test_a_failed_write_writes_nothing_of_itself(
    writer: Writer, reader: EmbeddedStore
) -> None:
    with pytest.raises(LogError, match='no topic "nowhere"; there are: probes'):
        await told(writer.write((probe(0), BAD), offsets={TOPIC: 1}))

    assert read(reader) == []
    assert reader.committed("lem") == {}


async def test_after_a_failed_write_every_later_one_fails_with_the_same_error(
    writer: Writer, reader: EmbeddedStore
) -> None:
    await told(writer.write((probe(0),)))
    failed = writer.write((BAD,))
    later = [writer.write((probe(1),)), writer.write((), offsets={TOPIC: 2})]

    errors = await errors_of(failed, *later)
    errors += await errors_of(writer.write((probe(3),)))

    assert isinstance(errors[0], LogError)
    assert all(error is errors[0] for error in errors)
    assert read(reader) == [0]
    assert reader.committed("lem") == {}


async def test_a_log_that_cannot_be_opened_is_told_to_everyone_who_writes(no_log: Path) -> None:
    writer = Writer(no_log, "lem")

    errors = await errors_of(writer.write((probe(0),)), writer.write((probe(1),)))

    writer.close()
    assert [type(error) for error in errors] == [LogError, LogError]
    assert "not a database" in str(errors[0])


async def test_closing_writes_what_was_asked_for(reader: EmbeddedStore) -> None:
    writer = Writer(reader.path, "lem")
    futures = [writer.write((probe(n),)) for n in range(100)]
    futures.append(writer.write((), offsets={TOPIC: 100}))

    writer.close()
    await asyncio.sleep(0)

    assert all(future.done() for future in futures)
    assert read(reader) == list(range(100))
    assert reader.committed("lem") == {TOPIC: 100}


async def test_who_no_longer_waits_is_written_all_the_same(
    writer: Writer, reader: EmbeddedStore
) -> None:
    given_up = writer.write((probe(0),))
    given_up.cancel()

    (places,) = await told(writer.write((probe(1),)))

    assert [place.offset for place in places] == [1]
    assert read(reader) == [0, 1]
