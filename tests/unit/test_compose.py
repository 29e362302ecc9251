"""What the compose files promise, read from them: that records stay, and that clients get there."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"
README = (INFRA / "README.md").read_text(encoding="utf-8")
FILES = {
    name: yaml.safe_load((INFRA / name).read_text(encoding="utf-8"))
    for name in ("compose.yaml", "compose.three.yaml")
}
ONE, THREE = FILES.values()
NODES = [
    pytest.param(services["services"], name, id=name)
    for services in FILES.values()
    for name in services["services"]
    if name.startswith("redpanda")
]
GIB = 2**30

each_file = pytest.mark.parametrize("compose", FILES.values(), ids=FILES)
each_node = pytest.mark.parametrize(("services", "name"), NODES)


def flags(services: dict[str, Any], name: str) -> dict[str, str]:
    """`--name=value` of a node's command; a flag without a value has an empty one."""
    words = [word for word in services[name]["command"] if word.startswith("--")]
    return dict(word.removeprefix("--").partition("=")[::2] for word in words if word != "--set")


def settings(services: dict[str, Any], name: str) -> dict[str, str]:
    """What the command sets in the node's own file, as in `--set redpanda.name=value`."""
    words = pairwise(services[name]["command"])
    return dict(said.split("=", 1) for flag, said in words if flag == "--set")


def listeners(said: str) -> dict[str, str]:
    """Host and port of each listener, by its name."""
    return dict(each.split("://", 1) for each in said.split(","))


def cluster(compose: dict[str, Any]) -> dict[str, Any]:
    """The cluster's properties, as they are set when it first starts."""
    found: dict[str, Any] = yaml.safe_load(compose["configs"]["cluster"]["content"])
    return found


def published(compose: dict[str, Any]) -> list[str]:
    return [port for each in compose["services"].values() for port in each.get("ports", [])]


def test_there_are_one_node_and_three() -> None:
    assert [node.id for node in NODES] == ["redpanda", "redpanda-0", "redpanda-1", "redpanda-2"]


@each_file
def test_every_image_is_of_one_version(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert re.fullmatch(r"[a-z./]+:v\d+\.\d+\.\d+", service["image"])


def test_both_files_are_of_the_same_versions() -> None:
    versions = [{each["image"] for each in found["services"].values()} for found in FILES.values()]

    assert versions[0] == versions[1]


def test_the_files_share_no_volume() -> None:
    """Compose puts the project's name before that of a volume."""
    assert ONE["name"] != THREE["name"]


@each_file
def test_only_this_machine_reaches_a_port(compose: dict[str, Any]) -> None:
    ports = published(compose)

    assert "127.0.0.1:8080:8080" in ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    assert len(set(ports)) == len(ports)


@each_node
def test_clients_on_this_machine_get_where_they_are_sent(
    services: dict[str, Any], name: str
) -> None:
    """A client goes on to the address that a node advertises; so that is where it must listen."""
    said = flags(services, name)
    host, port = listeners(said["advertise-kafka-addr"])["external"].split(":")

    assert host == "localhost"
    assert listeners(said["kafka-addr"])["external"] == f"0.0.0.0:{port}"
    assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


@each_node
def test_containers_get_where_they_are_sent(services: dict[str, Any], name: str) -> None:
    said = flags(services, name)
    host, port = listeners(said["advertise-kafka-addr"])["internal"].split(":")

    assert host == name
    assert listeners(said["kafka-addr"])["internal"] == f"0.0.0.0:{port}"
    assert f"{host}:{port}" in services["console"]["environment"]["KAFKA_BROKERS"].split(",")


@each_node
def test_the_readme_names_every_address(services: dict[str, Any], name: str) -> None:
    address = listeners(flags(services, name)["advertise-kafka-addr"])["external"]

    assert re.search(rf"kafka://\S*{address}\b", README)


@each_node
def test_records_lie_in_a_volume_with_a_name(services: dict[str, Any], name: str) -> None:
    """`docker compose down` keeps a volume that has one."""
    compose = THREE if services is THREE["services"] else ONE

    assert services[name]["volumes"] == [f"{name}:/var/lib/redpanda/data"]
    assert name in compose["volumes"]


@each_node
def test_a_write_is_on_disk_before_it_is_acknowledged(services: dict[str, Any], name: str) -> None:
    """The image is set to developer mode, which must be undone twice: in rpk and in the broker."""
    said = flags(services, name)

    assert said["unsafe-bypass-fsync"] == "false"
    assert settings(services, name)["redpanda.developer_mode"] == "false"
    assert "mode" not in said


@each_node
def test_a_node_has_the_memory_that_it_asks_for(services: dict[str, Any], name: str) -> None:
    """Out of developer mode Redpanda wants 1 GiB for each core, or does not start."""
    said = flags(services, name)
    memory = int(said["memory"].removesuffix("M")) * 2**20

    assert memory >= int(said["smp"]) * GIB


@each_node
def test_every_node_is_looked_after(services: dict[str, Any], name: str) -> None:
    assert "rpk cluster health" in services[name]["healthcheck"]["test"][1]
    assert services["console"]["depends_on"][name] == {"condition": "service_healthy"}


@each_node
def test_every_node_is_given_the_properties(services: dict[str, Any], name: str) -> None:
    """Redpanda looks for them beside its own file."""
    wanted = {"source": "cluster", "target": "/etc/redpanda/.bootstrap.yaml"}

    assert services[name]["configs"] == [wanted]


@each_file
def test_the_cluster_makes_no_topics_and_forgets_nothing(compose: dict[str, Any]) -> None:
    found = cluster(compose)

    assert found["auto_create_topics_enabled"] is False
    assert found["write_caching_default"] == "false"
    assert found["group_offset_retention_sec"] is None


def test_both_clusters_are_set_alike() -> None:
    assert cluster(ONE) == cluster(THREE)


def test_three_nodes_name_one_another() -> None:
    services = THREE["services"]
    nodes = [name for name in services if name != "console"]
    addresses = [flags(services, name)["advertise-rpc-addr"] for name in nodes]

    assert addresses == [f"{name}:33145" for name in nodes]
    for name in nodes:
        assert flags(services, name)["seeds"].split(",") == addresses
        # Else a node that finds none of the others begins a cluster of its own.
        assert settings(services, name)["redpanda.empty_seed_starts_cluster"] == "false"


@each_file
def test_every_setting_is_in_the_readme(compose: dict[str, Any]) -> None:
    services = compose["services"]
    nodes = [name for name in services if name != "console"]
    named = {*cluster(compose), *services["console"]["environment"]}
    for name in nodes:
        named |= {f"--{flag}" for flag in flags(services, name)}
        named |= {each.removeprefix("redpanda.") for each in settings(services, name)}

    assert [each for each in sorted(named) if f"`{each}`" not in README] == []
