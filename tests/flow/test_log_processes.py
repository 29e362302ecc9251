"""The embedded log between processes: killed ones, ones that write at once, a full disk.

This file is also the program of the other processes: `python test_log_processes.py ROLE PATH`.
"""

import os
import random
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.errors import GroupTaken, LogError
from streams.log.group import held
from streams.log.records import Draft
from streams.log.store import EmbeddedStore

SPOT = ("probes", 0)
Child = subprocess.Popen[str]


class Told(NamedTuple):
    """Where a process was told that its own record stands, and the one that all append."""

    own: int
    shared: int
    is_new: int


def draft(number: int) -> Draft:
    """A record that tells where it should stand, and that fills some pages of the file."""
    return Draft("probes", b"%09d" % number * 2000)


def number_of(value: bytes | None) -> int:
    number = int((value or b"")[:9])
    assert value == draft(number).value
    return number


def say(what: object) -> None:
    print(what, flush=True)


def opened(path: Path) -> EmbeddedStore:
    store = EmbeddedStore(path)
    store.declare("probes", 1)
    return store


# The roles of the other processes.


def append_for_ever(path: Path) -> None:
    store = opened(path)
    while True:
        start = store.end(*SPOT)
        places = store.append(
            [draft(start + n) for n in range(3)], group="g", offsets={SPOT: start + 3}
        )
        say(places[-1].offset)


def append_until_full(path: Path) -> None:
    """Python ignores SIGXFSZ, so that a write beyond the limit fails like one on a full disk."""
    store = opened(path)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, most))
    try:
        for number in count():
            store.append([draft(number)])
            say(number)
    except LogError as error:
        say(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    say(store.append([draft(store.end(*SPOT))])[0].offset)


def append_beside_others(path: Path) -> None:
    """Append what is this process's own and, each time, an event that every process appends."""
    store = opened(path)
    say("ready")
    sys.stdin.readline()
    for number in range(100):
        own, shared = store.append(
            [Draft("probes", b"%d" % os.getpid()), Draft("probes", b"", event_id=f"{number:032x}")]
        )
        say(f"{own.offset} {shared.offset} {int(shared.is_new)}")


def make_logs(path: Path) -> None:
    """Make each log that is asked for."""
    for name in sys.stdin:
        try:
            store = opened(path / name.strip())
            say(store.append([Draft("probes", b"")])[0].offset)
            store.close()
        except LogError as error:
            say(error)


def follow(path: Path) -> None:
    store = opened(path)
    say("ready")
    for number in range(int(sys.stdin.readline())):
        while not (records := store.read(*SPOT, offset=number, limit=1)):
            time.sleep(0.001)
        say(number_of(records[0].value))


def hold_the_group(path: Path) -> None:
    with held(path, "lem"):
        say("held")
        sys.stdin.read()


@contextmanager
def child(role: Callable[[Path], None], path: Path) -> Iterator[Child]:
    """Another process in this role; killed at the end, or when it takes for ever."""
    command = [sys.executable, __file__, role.__name__, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        late = threading.Timer(60, process.kill)
        late.start()
        try:
            yield process
        finally:
            late.cancel()
            process.kill()


def hears(process: Child) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def tell(process: Child, line: object) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def rest(process: Child) -> list[str]:
    assert process.stdout
    return [line.strip() for line in process.stdout]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def numbers(store: EmbeddedStore) -> list[int]:
    return [number_of(record.value) for record in store.scan(*SPOT)]


def test_a_full_disk_is_told_and_loses_nothing_that_was_acknowledged(path: Path) -> None:
    with child(append_until_full, path) as process:
        *before, error, later = rest(process)

    with closing(EmbeddedStore(path)) as store:
        found = numbers(store)
        damage = store.check()

    assert before
    assert re.match(rf"{path}: can't write the log: .* make room on the disk and go on\.", error)
    assert found == [int(number) for number in (*before, later)] == list(range(len(found)))
    assert damage == []


@pytest.mark.parametrize("seed", range(3))
def test_what_was_acknowledged_outlives_every_kill(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        with child(append_for_ever, path) as process:
            heard = [hears(process) for _ in range(chance.randint(1, 40))]
            time.sleep(chance.random() / 100)  # somewhere within an append
            process.kill()
            last = [*heard, *rest(process)][-1]

        with closing(EmbeddedStore(path)) as store:
            found = numbers(store)
            assert found == list(range(len(found)))
            assert len(found) > int(last)
            assert store.committed("g") == {SPOT: len(found)}
            assert store.check() == []


@pytest.fixture
def beside_one_another(path: Path) -> list[list[Told]]:
    """What three processes that appended at once were told."""
    with (
        child(append_beside_others, path) as one,
        child(append_beside_others, path) as two,
        child(append_beside_others, path) as three,
    ):
        processes = one, two, three
        assert [hears(process) for process in processes] == ["ready"] * 3
        for process in processes:
            tell(process, "go")
        lines = [rest(process) for process in processes]
    return [[Told(*map(int, line.split())) for line in told] for told in lines]


def test_processes_that_append_at_once_share_the_offsets(
    path: Path, beside_one_another: list[list[Told]]
) -> None:
    own = [[told.own for told in each] for each in beside_one_another]
    new = [told.shared for each in beside_one_another for told in each if told.is_new]

    with closing(EmbeddedStore(path)) as store:
        found = list(store.scan(*SPOT))

    assert [record.offset for record in found] == list(range(400))
    assert sorted([*own[0], *own[1], *own[2], *new]) == list(range(400))
    assert own == [sorted(offsets) for offsets in own]
    assert all(len({found[offset].value for offset in offsets}) == 1 for offsets in own)


def test_an_event_that_processes_append_at_once_is_there_once(
    beside_one_another: list[list[Told]],
) -> None:
    events = list(zip(*beside_one_another, strict=True))

    assert len(events) == 100
    assert [len({told.shared for told in event}) for event in events] == [1] * 100
    assert [sum(told.is_new for told in event) for event in events] == [1] * 100


def test_processes_that_make_a_log_at_once_find_the_same_one(tmp_path: Path) -> None:
    with child(make_logs, tmp_path) as one, child(make_logs, tmp_path) as two:
        answers = []
        for number in range(100):
            tell(one, f"{number}.db")
            tell(two, f"{number}.db")
            answers.append({hears(one), hears(two)})

    assert answers == [{"0", "1"}] * 100


def test_a_reader_in_another_process_reads_what_is_appended(path: Path) -> None:
    with closing(opened(path)) as log, child(follow, path) as process:
        assert hears(process) == "ready"
        tell(process, 90)
        for start in range(0, 90, 3):
            log.append([draft(start + n) for n in range(3)])
        heard = rest(process)

    assert [int(line) for line in heard] == list(range(90))


def test_a_second_worker_of_a_group_is_refused_until_the_first_is_gone(path: Path) -> None:
    with child(hold_the_group, path) as process:
        assert hears(process) == "held"
        advice = rf"held by process {process.pid}: .* Stop that one \(`kill -INT {process.pid}`\)"
        with pytest.raises(GroupTaken, match=advice), held(path, "lem"):
            pass
        process.kill()
        process.wait()

        with held(path, "lem"):
            pass


def test_another_group_is_not_kept_out(path: Path) -> None:
    with child(hold_the_group, path) as process:
        assert hears(process) == "held"

        with held(path, "other"), pytest.raises(GroupTaken, match=r'^Group "other"'):
            held(path, "other").__enter__()


def test_another_log_is_not_kept_out(path: Path) -> None:
    with held(path, "lem"), held(path.with_name("other.db"), "lem"):
        assert path.parent.is_dir()


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
