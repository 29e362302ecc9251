"""Consumer groups on a broker: where each one stands, and who works in it."""

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as MemberAssignment
from aiokafka.errors import for_code

from streams.kafka.client import Client, patient
from streams.kafka.topics import is_ours

SESSION_S = 10.0
"""After so long without a sign of life a worker's partitions go to others."""

HEARTBEAT_S = 3.0
"""A third of the session, as Kafka's documentation advises."""

POLL_S = 7 * 24 * 3600.0
"""How long a worker may be busy with what it has fetched: a large model takes its time."""


@patient
async def cluster(client: Client) -> str:
    """The id of the cluster, the same at each of its brokers."""
    found = await (await client.admin()).describe_cluster()
    return str(found["cluster_id"])


@patient
async def names(client: Client, prefix: str) -> list[str]:
    """The whole names of the project's groups."""
    found = await (await client.admin()).list_consumer_groups()
    return sorted(name for name, *_ in found if is_ours(name, prefix))


@patient
async def committed(client: Client, group: str) -> dict[TopicPartition, int]:
    """What the group has committed."""
    found = await (await client.admin()).list_consumer_group_offsets(group)
    return {tp: each.offset for tp, each in found.items() if each.offset >= 0}


@patient
async def commit(client: Client, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit for a group in which nobody works."""
    async with client.member(group) as consumer:
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))


@patient
async def members(client: Client, wanted: list[str]) -> dict[str, list[str]]:
    """Everyone in these groups, by group: program, host, and how many partitions are theirs."""
    found: dict[str, list[str]] = {}
    if not wanted:
        return found
    for response in await (await client.admin()).describe_consumer_groups(wanted):
        for group in response.to_object()["groups"]:
            if code := group["error_code"]:
                raise for_code(code)(group["group"])
            found[group["group"]] = sorted(map(_named, group["members"]))
    return found


def _named(member: dict[str, Any]) -> str:
    host = str(member["client_host"]).lstrip("/")
    given = member["member_assignment"]
    topics = MemberAssignment.decode(given).assignment if given else ()
    count = sum(len(partitions) for _, partitions in topics)
    return f"{member['client_id']} at {host} with {count} partitions"
