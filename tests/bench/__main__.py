"""Run every measurement and print one table; `--json` for scripts."""

import sys
from collections.abc import Iterator

from infra.kafka.kafka import missing
from streams.cli.shown import Row, show
from tests.bench import append, flow, kafka, replay, score, start, tail


def measured() -> Iterator[Row]:
    """One row for each measurement: what, ours, rival, ratio or limit, target."""
    found = append.ratio()
    yield _row("append, records/s", found, "SQLite executemany", "≥ 0.60")
    found = replay.ratio()
    yield _row("log to Parquet, events/s", found, "SQLite + orjson", "≥ 0.40")
    found = tail.lag()
    yield _limit("lag of `lem tail`, p50, ms", found["p50_ms"], "-")
    yield _limit("lag of `lem tail`, p99, ms", found["p99_ms"], "< 50")
    yield _limit("CPU of an idle reader, share", found["idle_cpu_share"], "-")
    yield _limit("through two agents, events/s", flow.rate()["events_per_s"], "-")
    found = score.ratio()
    yield _row("score by lek@2, texts/s", found, "re.findall per rule", "≥ 20")
    found = start.ratio()
    yield _row("`lem --help`, s", found, "import typer", "< 0.30 s")
    if lacking := missing():
        print(f"Kafka is not measured: {' and '.join(lacking)} not found.", file=sys.stderr)
    else:
        yield from _over_kafka()


def _over_kafka() -> Iterator[Row]:
    with kafka.running() as url:
        bare, embedded = kafka.replay(url)
        yield _row("Kafka: log to views, events/s", bare, "aiokafka getmany", "≥ 0.50")
        yield _row("Kafka: log to views, events/s", embedded, "embedded log", "-")
        found = kafka.append(url)
        yield _row("Kafka: append, records/s", found, "aiokafka send", "-")
        found = tail.lag(url)
        yield _limit("Kafka: lag of `lem tail`, p50, ms", found["p50_ms"], "-")
        yield _limit("Kafka: lag of `lem tail`, p99, ms", found["p99_ms"], "< 50")


def _row(what: str, found: dict[str, float], name: str, target: str) -> Row:
    return {
        "what": what,
        "lem": found["ours"],
        "rival": found["rival"],
        "named": name,
        "ratio": found["ratio"],
        "target": target,
    }


def _limit(what: str, ours: float, target: str) -> Row:
    return {
        "what": what,
        "lem": ours,
        "rival": None,
        "named": None,
        "ratio": None,
        "target": target,
    }


if __name__ == "__main__":
    show(list(measured()), as_json="--json" in sys.argv)
