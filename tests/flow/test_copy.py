"""`lem log copy` between a file and a real Kafka, both ways; and what it says."""

import asyncio
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.config import Settings
from streams.connect import connected
from streams.copy import copied
from streams.envelope import draft
from streams.errors import ConfigError, LogError
from streams.kafka.topics import SETTINGS
from streams.log.door import Store
from streams.log.records import EVENT_ID, Draft
from tests.events import AT, probed, started
from tests.flow.test_pipeline import answers, trial, whole
from tests.kafka import Kafka
from tests.lem import command, datasets, environment, lem, log, rows, until
from tests.unit.streams.test_copy import ID, Stop, numbered, records, stopping

Opening = Callable[[str], Store]


@pytest.fixture
def opening(kafka: Kafka, prefix: str, tmp_path: Path) -> Iterator[Opening]:
    """Opens the log of a name: a file for `file`, else topics of its own on the broker."""
    opened: list[Store] = []

    def connection(name: str) -> Store:
        home, own = str(tmp_path / name), f"{prefix}{name}."
        broker = "" if name.startswith("file") else kafka.url
        opened.append(connected(Settings(home=home, broker=broker, topic_prefix=own)))
        return opened[-1]

    yield connection
    for each in opened:
        each.close()


def ends(home: Path, env: dict[str, str] | None = None) -> dict[tuple[str, int], int]:
    with log(home, env) as store:
        return store.ends()


def test_a_whole_project_goes_to_a_broker_and_back(
    tmp_path: Path, kafka: Kafka, prefix: str
) -> None:
    """On the copy nothing is left to do, and the same bytes come out of it."""
    home, there, back = (tmp_path / name for name in ("home", "there", "back"))
    env = whole(home, f"canned:{answers(tmp_path)}", trial(tmp_path))
    broker = {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}
    on_broker = env | broker

    (told,) = rows(lem(there, "log", "copy", "home/log.db", kafka.url, "--json", env=broker))
    lem(home, "log", "copy", f"{kafka.url}/{prefix}", f"sqlite://{back}/log.db")

    for copy, settings in ((there, on_broker), (back, env)):
        before = ends(copy, settings)
        lem(copy, "run", "--until-idle", env=settings)
        lem(copy, "materialize", "--phase", "trial", env=settings)
        assert ends(copy, settings) == before
        assert datasets(copy) == datasets(home)
        lem(copy, "log", "verify", env=settings)
    with log(home) as first, log(there, on_broker) as second, log(back) as third:
        assert records(first) == records(second) == records(third)
        assert first.committed("lem") == second.committed("lem") == third.committed("lem") != {}
    assert (told["carried"], told["kept"], told["beyond"], told["meanwhile"]) == (["lem"], [], 0, 0)
    assert sum(topic["copied"] for topic in told["topics"]) == sum(ends(home).values())


def test_the_same_copy_again_says_that_all_is_there(
    tmp_path: Path, kafka: Kafka, prefix: str
) -> None:
    home, target = tmp_path / "home", f"{kafka.url}/{prefix}"
    with log(home) as store:
        store.declare("probes", 1)
        store.append([*numbered(3), numbered(1)[0]._replace(event_id=None)])
        store.commit("lem", {("probes", 0): 1})

    first = lem(home, "log", "copy", "home/log.db", target).stdout
    again = lem(home, "log", "copy", "home/log.db", target).stdout

    assert [line.split() for line in first.splitlines() if "probes" in line] == [
        ["probes", "4", "3", "0"]
    ]
    assert [line.split() for line in again.splitlines() if "probes" in line] == [
        ["probes", "4", "0", "3"]
    ]
    assert f"All 4 records of {home}/log.db are at {target}: " in first
    assert "1 repeat an event" in first
    assert "go on where they were: lem." in first
    assert "keep their own place at the target: lem." in again


def test_what_no_lem_wrote_is_copied_once_from_each_log_to_each(
    opening: Opening, kafka: Kafka, prefix: str
) -> None:
    source = opening("kafka")
    source.declare("elsewhere", 1)
    same = Draft("elsewhere", b"one", b"key", ((EVENT_ID, ID.encode()),))
    source.append(
        [
            Draft("elsewhere", None, b"key"),
            Draft("elsewhere", None, None, ((EVENT_ID, b"none"),)),
            Draft("elsewhere", b"no id", None, at_ms=1_000),
            *(same, same, same._replace(value=b"other"), same),
        ]
    )
    asyncio.run(sent(kafka, f"{prefix}kafka.elsewhere", b"odd", [("trace", None)]))
    logs = [source, *map(opening, ("file", "kafka-two", "file-two"))]
    for _ in range(2):
        for one, following in pairwise(logs):
            copied(one, following)

    for each in logs[1:]:
        found = records(each)
        assert [r.value for r in found] == [None, None, b"no id", b"one", b"other", b"odd"]
        assert [r[3:] for r in found] == [r[3:] for r in records(logs[1])]
        assert [record.value for record in each.find(ID)] == [b"one"]
    assert records(logs[1])[-1].headers[:-1] == (("trace", b""),)


async def sent(kafka: Kafka, topic: str, value: bytes, headers: list[tuple[str, None]]) -> None:
    """Send what no log of ours would."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.url.removeprefix("kafka://"))
    await producer.start()
    await producer.send_and_wait(topic, value, headers=headers)
    await producer.stop()


@pytest.mark.parametrize("names", [("file", "kafka"), ("kafka", "file"), ("kafka", "kafka-two")])
@pytest.mark.parametrize("done", [1, 700, 1300, 1900])
def test_a_copy_that_was_stopped_is_completed(
    opening: Opening, names: tuple[str, str], done: int
) -> None:
    source, target = map(opening, names)
    source.declare("probes", 1)
    source.append([*numbered(1299), Draft("probes", b"no id", at_ms=1_000)])
    with pytest.raises(Stop):
        copied(source, target, progress=stopping(done))
    found = copied(source, target)

    assert [r[3:6] for r in records(target)] == [r[3:6] for r in records(source)]
    assert sum(count.copied + count.there for count in found.topics) == 1300


def test_partitions_of_another_number_are_filled_by_key_and_in_order(opening: Opening) -> None:
    source, target = opening("file"), opening("kafka")
    source.declare("probes", 2)
    source.declare("decisions", 2)
    target.declare("probes", 3)
    for n, each in enumerate(numbered(120)):
        placed = each._replace(key=b"%d" % (n % 7), partition=n % 2, at_ms=1_000 + n)
        source.append([placed])
    source.commit("lem", {("probes", 0): 30, ("probes", 1): 60})

    copied(source, target)

    found = records(target)
    left = [r for r in found if r.at_ms >= 1_060 and r.at_ms % 2 == 0]
    assert target.topics() == {"probes": 3, "decisions": 1}
    assert {r.at_ms: r.value for r in found} == {1_000 + n: b"%d" % n for n in range(120)}
    assert all(r.partition == target.partition_of("probes", r.key) for r in found)
    assert {r.partition for r in found} == {0, 1, 2}
    assert target.committed("lem") == {
        ("probes", p): min(r.offset for r in left if r.partition == p) for p in range(3)
    }


def test_the_largest_records_go_to_a_broker(opening: Opening) -> None:
    source, target = opening("file"), opening("kafka")
    source.declare("probes", 1)
    source.append([each._replace(value=bytes(8_000_000)) for each in numbered(3)])

    copied(source, target)

    assert records(target) == records(source)


def test_two_histories_are_told_before_much_is_copied(opening: Opening) -> None:
    source, target = opening("file"), opening("kafka")
    for each in (source, target):
        each.declare("probes", 1)
        each.declare("runs", 1)
    source.append([draft(started()), draft(probed())])
    target.append([draft(probed(at=AT.replace(year=2027)))])

    with pytest.raises(LogError, match=r"probes\[0\]@0 at kafka:.* the id of probes\[0\]@0 at /"):
        copied(source, target)
    assert target.end("runs", 0) == 0


def test_ctrl_c_leaves_a_copy_that_the_same_command_completes(
    tmp_path: Path, kafka: Kafka, prefix: str
) -> None:
    home, env = tmp_path / "home", {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}
    with log(home) as store:
        store.declare("probes", 1)
        store.append(numbered(20_000))
    arguments = ("log", "copy", "home/log.db", kafka.url)
    copying = subprocess.Popen(
        command(*arguments), env=environment(home, env), cwd=tmp_path, stderr=subprocess.PIPE
    )
    with log(tmp_path / "other", env) as target:
        until(lambda: bool(sum(target.ends().values())))
    copying.send_signal(signal.SIGINT)
    _, said = copying.communicate(timeout=60)
    there = ends(home, env)["probes", 0]

    (told,) = rows(lem(home, *arguments, "--json", env=env))

    assert copying.returncode == 130
    assert said.decode() == "Stopped. What was copied stays; the same command goes on.\n"
    assert 0 < there < 20_000
    assert (told["topics"][0]["copied"], told["topics"][0]["there"]) == (20_000 - there, there)
    assert ends(home, env) == {("probes", 0): 20_000}


async def made(kafka: Kafka, topic: str, partitions: int, retention_ms: str) -> None:
    """Make a topic as another program would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.url.removeprefix("kafka://"))
    await admin.start()
    configs = SETTINGS | {"retention.ms": retention_ms}
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
    await admin.close()


def test_topics_that_do_not_fit_are_refused(opening: Opening, kafka: Kafka, prefix: str) -> None:
    source = opening("file")
    source.declare("decisions", 1)
    asyncio.run(made(kafka, f"{prefix}short.decisions", 1, "1000"))
    asyncio.run(made(kafka, f"{prefix}many.decisions", 2, "-1"))

    with pytest.raises(LogError, match=r"short\.decisions has retention\.ms=1000, where a log"):
        copied(source, opening("short"))
    with pytest.raises(ConfigError, match=r"many\.decisions at .* has 2 partitions, and must have"):
        copied(source, opening("many"))


def test_a_log_is_not_copied_to_itself(tmp_path: Path, kafka: Kafka, prefix: str) -> None:
    home, there = tmp_path / "home", f"{kafka.url}/{prefix}"
    for env in ({}, {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix}):
        with log(home, env) as store:
            store.declare("probes", 1)
    (tmp_path / "link.db").symlink_to(home / "log.db")

    for one, other in (
        ("link.db", f"sqlite://{home}/log.db"),
        (there, there.replace("127.0.0.1", "localhost")),
    ):
        said = lem(home, "log", "copy", one, other, status=1).stderr
        assert said.count("\n") == 1
        assert said.endswith(" are the same log; name two.\n")


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("none.db", "new.db", "no log at .*none.db yet"),
        ("KAFKA/none.", "new.db", r"no log at kafka://.*/none\. yet: no topic there begins"),
        ("home/log.db", "home", "home is a folder; name the log in it, as .*home/log.db"),
        ("home/log.db", "home/log.db/new.db", "can't open the log"),
        ("home/log.db", "http://here", '"http://here" is no place of a log; name a file, sqlite:'),
        ("", "new.db", '"" is no place of a log'),
        ("home/log.db", "KAFKA/no-stop", '"no-stop" can\'t begin the names of topics'),
        ("home/log.db", "kafka://127.0.0.1:1/x.", "no broker listens at 127.0.0.1:1"),
    ],
)
def test_a_place_that_can_not_be_is_told(
    tmp_path: Path, kafka: Kafka, source: str, target: str, said: str
) -> None:
    with log(tmp_path / "home") as store:
        store.declare("probes", 1)
    places = [place.replace("KAFKA", kafka.url) for place in (source, target)]

    refused = lem(tmp_path / "home", "log", "copy", *places, status=1).stderr

    assert refused.count("\n") == 1
    assert re.search(said, refused), refused
    assert not (tmp_path / "new.db").exists()
