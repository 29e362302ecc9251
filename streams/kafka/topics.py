"""Topics on a broker: made with what a log needs, and held against it when they are there.

The settings are Kafka's own (kafka.apache.org/documentation, "Topic Configs"); Redpanda takes the
same names (docs.redpanda.com, "Topic Configuration Properties").
"""

import asyncio
from collections.abc import Iterable

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.errors import LogError
from streams.kafka.client import Client, patient
from streams.log.records import LARGEST_BYTES

SETTINGS = {
    "cleanup.policy": "delete",  # and nothing is ever old enough to be:
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(2 * LARGEST_BYTES),
    "message.timestamp.type": "CreateTime",  # so that a copied record keeps its time
    "compression.type": "producer",  # zstd, as the producers send it
}

_IN_SYNC = "min.insync.replicas"
_TIMEOUT_MS = 20_000
_LOOK_EVERY_S = 0.02
_LOOKS = 500


@patient
async def make(client: Client, name: str, partitions: int, replication: int) -> None:
    """Make the topic, and return when its partitions can be written to.

    Raises:
        KafkaError: The broker refuses.
        LogError: It is not ready after ten seconds.
    """
    wanted = NewTopic(name, partitions, replication, topic_configs=_wanted(replication))
    response = await (await client.admin()).create_topics([wanted], timeout_ms=_TIMEOUT_MS)
    for _, code, *said in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was quicker
            raise error(said[0] if said else name)
    for _ in range(_LOOKS):
        if await _is_ready(client, name):
            return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise LogError(f"Topic {name} was made, but no broker leads its partitions; try again.")


@patient
async def partitions(client: Client, prefix: str) -> dict[str, int]:
    """How many partitions each topic of this prefix has, by its whole name, in their order."""
    found = await (await client.admin()).describe_topics()
    names = {each["topic"]: len(each["partitions"]) for each in found if not each["is_internal"]}
    return {name: names[name] for name in sorted(names) if is_ours(name, prefix)}


def is_ours(name: str, prefix: str) -> bool:
    """Whether a topic or group is of the project with this prefix: `a.b.lem` is not of `a.`."""
    return name.startswith(prefix) and "." not in name.removeprefix(prefix)


@patient
async def differences(client: Client, names: Iterable[str], replication: int) -> list[str]:
    """What the topics have that could lose records, a sentence each."""
    wanted = _wanted(replication)
    asked = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(wanted)) for name in names
    ]
    if not asked:
        return []
    found = []
    for response in await (await client.admin()).describe_configs(asked):
        for code, message, _, name, entries in response.resources:
            if code:
                raise for_code(code)(message)
            there = {entry[0]: entry[1] for entry in entries}
            told = (_differing(name, key, there.get(key), wanted[key]) for key in wanted)
            found += [said for said in told if said]
    return sorted(found)


async def _is_ready(client: Client, name: str) -> bool:
    (found,) = await (await client.admin()).describe_topics([name])
    parts = found["partitions"]
    return bool(parts) and all(not p["error_code"] and p["leader"] >= 0 for p in parts)


def _wanted(replication: int) -> dict[str, str]:
    """With copies, most of them must have a record before it is acknowledged.

    Redpanda does so always.
    """
    if replication == 1:
        return SETTINGS
    return SETTINGS | {_IN_SYNC: str(replication // 2 + 1)}


def _differing(name: str, key: str, value: str | None, wanted: str) -> str | None:
    if value is None or value == wanted or key == "compression.type":
        return None
    if key in ("max.message.bytes", _IN_SYNC) and int(value) >= int(wanted):
        return None
    return f"topic {name} has {key}={value}, where a log needs {key}={wanted}"
