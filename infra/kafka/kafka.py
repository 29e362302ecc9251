"""Apache Kafka without Docker: one node, fetched from Maven Central, for trying out and for tests.

It needs Java 17 and Maven; everything else is fetched once into `jars/` beside this file.

Run: python infra/kafka/kafka.py --data .lem/kafka
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
JARS = HERE / "jars"
CLUSTER = "bGVtLWthZmthLW9uZS1uZA"  # any 16 bytes in base64; a node with a disk has its own log

_LARGEST_BYTES = 17 * 1024 * 1024  # a record of 16 MiB, as lem sets it on its topics, in a batch
_FOR_EVER_MINUTES = 2**31 - 1


def missing() -> list[str]:
    """The programs that are needed and not there."""
    return [name for name in ("java", "mvn") if shutil.which(name) is None]


def fetched() -> Path:
    """The folder of the jars, filled where it is empty."""
    if not (JARS / ".complete").exists():
        print("Fetching Apache Kafka from Maven Central, once …", file=sys.stderr, flush=True)
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
        folder = f"-DoutputDirectory={JARS}"
        # Maven's own account goes to stderr: what is printed here is for people, or for scripts.
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), goal, folder]
        subprocess.run(command, check=True, stdout=sys.stderr)
        (JARS / ".complete").touch()
    return JARS


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at; held together while they are drawn, so that they differ."""
    with ExitStack() as stack:
        drawn = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in drawn:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in drawn]


def is_taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def properties(data: Path, port: int, *, user: str = "", password: str = "") -> str:
    """The node's settings: broker and controller in one, reached from this machine alone.

    With a user, clients must give this name and password (SASL, PLAIN).
    """
    (controller,) = free_ports(1)
    protocol = "SASL_PLAINTEXT" if user else "PLAINTEXT"
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{port}",
        "listener.security.protocol.map": f"CLIENTS:{protocol},CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "offsets.retention.minutes": str(_FOR_EVER_MINUTES),
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(_LARGEST_BYTES),
        # A node that was killed comes back when its old session is over.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "log.index.size.max.bytes": "1048576",
        # One node has no replica to recover from: what is acknowledged is on the disk.
        "log.flush.interval.messages": "1",
    }
    if user:
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        users = f'username="{user}" password="{password}" user_{user}="{password}"'
        lines |= {
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.clients.plain.sasl.jaas.config": f"{login} {users};",
        }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def command(data: Path, port: int, *, user: str = "", password: str = "") -> list[str]:
    """The command that runs the node in the foreground; its folder is made ready for it."""
    data.mkdir(parents=True, exist_ok=True)
    jars = f"{fetched()}/*"
    settings = data.parent / f"{data.name}.properties"
    settings.write_text(properties(data, port, user=user, password=password), encoding="utf-8")
    if not (data / "meta.properties").exists():
        tool = ["java", "-cp", jars, "kafka.tools.StorageTool"]
        made = [*tool, "format", "-t", CLUSTER, "-c", str(settings)]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    return ["java", "-Xmx512m", quiet, "-cp", jars, "kafka.Kafka", str(settings)]


def main() -> None:
    """Run a node until Ctrl+C."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    wanted.add_argument("--data", type=Path, default=Path(".lem/kafka"), help="where records lie")
    wanted.add_argument("--port", type=int, default=0, help="a free one if none is given")
    given = wanted.parse_args()
    if lacking := missing():
        sys.exit(f"Not found: {', '.join(lacking)}. Install Java 17 or newer, and Maven.")
    port = given.port or free_ports(1)[0]
    if is_taken(port):
        sys.exit(f"Port {port} is taken, perhaps by another broker. Stop that, or name one: --port")
    program = command(given.data.absolute(), port)
    print(f"Kafka runs at kafka://127.0.0.1:{port}; Ctrl+C ends it, records stay in {given.data}.")
    print(f"In another terminal: export LEM_BROKER=kafka://127.0.0.1:{port}", flush=True)
    os.execvp(program[0], program)


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


if __name__ == "__main__":
    main()
