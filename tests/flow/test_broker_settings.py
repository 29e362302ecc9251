"""What a person sees when the settings do not fit the broker; and that all else is as in a file."""

import asyncio
import re
import shlex
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.config import Settings
from streams.connect import connected, declare
from streams.envelope import draft
from streams.kafka.topics import SETTINGS
from streams.log.door import Store
from streams.topics import TOPICS
from tests.events import World, probed
from tests.kafka import Kafka, needed
from tests.lem import lem, refusal

AT_MS = 1_767_322_800_000  # 2026-01-02T03:00:00Z
HERE = "127.0.0.1"
USER = "ada"
PASSWORD = "hush-0815"
GIVEN = {"LEM_BROKER_USER": USER, "LEM_BROKER_PASSWORD": PASSWORD}
RIGHT = GIVEN | {"LEM_BROKER_MECHANISM": "PLAIN"}
WRONG = RIGHT | {"LEM_BROKER_PASSWORD": f"{PASSWORD}-not"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Kafka]:
    """A node that wants a name and a password."""
    needed()
    node = Kafka(user=USER, password=PASSWORD)
    node.start()
    yield node
    node.remove()


def test_a_user_with_the_right_password_works(home: Path, guarded: Kafka, prefix: str) -> None:
    env = RIGHT | {"LEM_BROKER": guarded.url, "LEM_TOPIC_PREFIX": prefix}

    seeded, shown = lem(home, "seed", env=env), lem(home, "status", env=env)

    assert guarded.url in shown.stdout
    assert PASSWORD not in seeded.stdout + seeded.stderr + shown.stdout + shown.stderr


REFUSED: dict[str, tuple[dict[str, str], list[str]]] = {
    "no user": ({}, ["LEM_BROKER_USER"]),
    "no password": ({"LEM_BROKER_USER": USER}, [f'"{USER}", but LEM_BROKER_PASSWORD is not set']),
    "wrong password": (WRONG, ["refuses us", "Check LEM_BROKER_USER, LEM_BROKER_PASSWORD"]),
    "its mechanism is another": (GIVEN, ["refuses us", "SCRAM-SHA-256", "LEM_BROKER_MECHANISM"]),
    "no such mechanism": (GIVEN | {"LEM_BROKER_MECHANISM": "MD5"}, ["'MD5'", "SCRAM-SHA-512"]),
}


@pytest.mark.parametrize(("env", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_user_who_is_refused_is_told_why(
    home: Path, guarded: Kafka, env: dict[str, str], says: list[str]
) -> None:
    said = refusal(home, "seed", LEM_BROKER=guarded.url, **env)

    assert [words for words in says if words not in said] == []
    assert "waited" not in said  # it was not: a broker that refuses does so at once


@pytest.mark.parametrize(
    ("env", "says"), [(GIVEN, "LEM_BROKER_USER"), ({"LEM_BROKER_TLS": "1"}, "LEM_BROKER_TLS")]
)
def test_a_broker_that_knows_no_users_or_no_tls_is_told(
    home: Path, kafka: Kafka, env: dict[str, str], says: str
) -> None:
    said = refusal(home, "seed", LEM_BROKER=kafka.url, **env)

    assert re.search(f"{HERE}:{kafka.port} .*{says}", said)


@pytest.mark.parametrize("name", ["LEM_BROKER_CA", "LEM_BROKER_CERT"])
@pytest.mark.parametrize("path", ["/no/such/file.pem", __file__])
def test_a_file_that_is_no_certificate_is_told_by_its_name(
    home: Path, name: str, path: str
) -> None:
    said = refusal(home, "seed", LEM_BROKER="kafka://x", LEM_BROKER_TLS="1", **{name: path})

    assert re.search(f'{name} (is )?"{path}".* a file in PEM', said)


@pytest.mark.parametrize("url", ["kafka://%s@x:9092", "kafka://%s,c@x:9092", "kafkas://%s@x:9092"])
def test_a_password_in_the_address_is_not_shown(home: Path, url: str) -> None:
    said = refusal(home, "status", LEM_BROKER=url % f"{USER}:{PASSWORD}")

    assert PASSWORD not in said
    assert "LEM_BROKER_PASSWORD" in said


def test_an_address_without_a_scheme_is_no_file(home: Path) -> None:
    said = refusal(home, "seed", LEM_BROKER=f"{HERE}:9092")

    assert f"kafka://{HERE}:9092" in said


async def made(kafka: Kafka, topic: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=f"{HERE}:{kafka.port}")
    await admin.start()
    await admin.create_topics([topic])
    await admin.close()


async def names(kafka: Kafka, prefix: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=f"{HERE}:{kafka.port}")
    await admin.start()
    found = await admin.list_topics()
    await admin.close()
    return sorted(name for name in found if name.startswith(prefix))


def refused_seed(
    home: Path, kafka: Kafka, prefix: str, topic: str, partitions: int, **setting: str
) -> str:
    """What `lem seed` says of a topic that was made so before; it makes no other."""
    topic = f"{prefix}{topic}"
    asyncio.run(made(kafka, NewTopic(topic, partitions, 1, topic_configs=SETTINGS | setting)))
    env = {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix, "LEM_PARTITIONS": "2"}
    said = refusal(home, "seed", **env)
    assert asyncio.run(names(kafka, prefix)) == [topic]
    assert f"opic {topic} " in said
    assert kafka.url in said
    return said


@pytest.mark.parametrize(
    ("topic", "partitions", "says"),
    [
        ("scores", 1, r"1, where LEM_PARTITIONS asks for 2.* Set LEM_PARTITIONS=1"),
        ("decisions", 2, r"has 2 partitions; dedup needs it whole.* another LEM_TOPIC_PREFIX"),
    ],
)
def test_a_topic_with_too_few_partitions_or_too_many_is_told(
    home: Path, kafka: Kafka, prefix: str, topic: str, partitions: int, says: str
) -> None:
    assert re.search(says, refused_seed(home, kafka, prefix, topic, partitions))


@pytest.mark.parametrize(
    "setting",
    [
        "retention.ms=604800000",
        "retention.bytes=1000000",
        "max.message.bytes=1048588",
        "cleanup.policy=compact",
        "message.timestamp.type=LogAppendTime",
    ],
)
def test_a_topic_that_could_lose_records_is_told_with_its_setting(
    home: Path, kafka: Kafka, prefix: str, setting: str
) -> None:
    name, value = setting.split("=")

    said = refused_seed(home, kafka, prefix, "scores", 2, **{name: value})

    assert f"has {setting}, where a log needs {name}={SETTINGS[name]}. Set it so" in said


def test_replication_that_the_cluster_can_not_give_is_told(
    home: Path, kafka: Kafka, prefix: str
) -> None:
    env = {"LEM_BROKER": kafka.url, "LEM_TOPIC_PREFIX": prefix, "LEM_REPLICATION": "3"}

    said = refusal(home, "seed", **env)

    assert re.search(f"{kafka.url}/{prefix}: .* fewer brokers than LEM_REPLICATION asks for", said)
    assert ".." not in said
    assert asyncio.run(names(kafka, prefix)) == []


def opened(broker: str, home: Path, prefix: str) -> Store:
    found = Settings(home=str(home), broker=broker, topic_prefix=prefix)
    store = connected(found)
    declare(store, found)
    return store


@pytest.mark.parametrize("other", ["b.", "a.b."])
def test_projects_with_prefixes_of_their_own_do_not_see_each_other(
    home: Path, kafka: Kafka, prefix: str, other: str
) -> None:
    event = draft(probed())
    with (
        closing(opened(kafka.url, home, f"{prefix}{other}")) as theirs,
        closing(opened(kafka.url, home, f"{prefix}a.")) as ours,
    ):
        theirs.append([event])
        theirs.commit("lem", {("probes", 0): 1})

        assert ours.topics() == theirs.topics() == dict.fromkeys(TOPICS, 1)
        assert (ours.groups(), ours.find(probed().id)) == ([], [])
        assert ours.append([event])[0].is_new
        ours.commit("lem", {("probes", 0): 0})
        assert ours.groups() == theirs.groups() == ["lem"]
        assert theirs.committed("lem") == {("probes", 0): 1}


async def test_a_worker_is_seen_in_its_own_project_alone(
    home: Path, kafka: Kafka, prefix: str
) -> None:
    inner, url = f"{prefix}a.", kafka.url
    with closing(opened(url, home, prefix)) as ours, closing(opened(url, home, inner)) as theirs:
        given = {"bootstrap_servers": f"{HERE}:{kafka.port}", "group_id": f"{inner}lem"}
        worker = AIOKafkaConsumer(f"{inner}probes", **given)
        async with worker:
            assert (list(ours.workers()), list(theirs.workers())) == ([], ["lem"])


def test_a_prefix_without_its_dot_finds_no_log_and_makes_none(
    home: Path, kafka: Kafka, prefix: str
) -> None:
    opened(kafka.url, home, prefix).close()

    bare = prefix.removesuffix(".")

    said = refusal(home, "status", LEM_BROKER=kafka.url, LEM_TOPIC_PREFIX=bare)

    assert "LEM_TOPIC_PREFIX" in said
    assert asyncio.run(names(kafka, bare)) == sorted(prefix + topic for topic in TOPICS)


Twin = tuple[Path, dict[str, str], str]  # home, environment and place of a log


@pytest.fixture(scope="module")
def twins(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> list[Twin]:
    """The same events, committed offsets and times in a file and on a broker."""
    found, events = [], World().events
    for broker in ("", kafka.url):
        home, prefix = tmp_path_factory.mktemp("twin") / "home", f"t{uuid.uuid4().hex[:12]}."
        with closing(opened(broker, home, prefix)) as store:
            store.append([draft(e)._replace(at_ms=AT_MS + n) for n, e in enumerate(events)])
            store.commit("lem", {("probes", 0): 2, ("scores", 0): 1})
            env = {"LEM_BROKER": broker, "LEM_TOPIC_PREFIX": prefix}
            found.append((home, env, store.place))
    return found


COMMANDS = """
    status
    status --json
    explain {id}
    explain {id} --json
    sql 'select * from progress order by run'
    tail decisions
    tail probes --offset start --count 3 --json
    log topics
    log offsets
    log show probes 2
    log show {id}
    log dead
    log verify
"""


@pytest.mark.parametrize("command", COMMANDS.strip().splitlines(), ids=str.strip)
def test_a_command_tells_of_a_broker_what_it_tells_of_a_file(
    twins: list[Twin], command: str
) -> None:
    asked = shlex.split(command.format(id=World().named["accepted"].id))
    embedded, broker = (said(twin, asked) for twin in twins)

    assert embedded == broker


def said(twin: Twin, command: list[str]) -> list[str]:
    """Every word but where the log is; how wide its name is sets the blanks."""
    home, env, place = twin
    done = lem(home, *command, env=env)
    return (done.stdout + done.stderr).replace(place, "LOG").split()
