"""Run every measurement and print one table; `--json` for scripts."""

import sys
from collections.abc import Iterator, Mapping

from infra.kafka.kafka import missing
from streams.cli.shown import Row, show
from tests.bench import (
    append,
    dedup,
    flow,
    generate,
    kafka,
    lineage,
    materialize,
    replay,
    rescore,
    score,
    start,
    tail,
)

_TEXTS = 20_000  # `python -m tests.bench.dedup --texts 300000` for more


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
    yield from _deduped()
    yield from _rescored()
    yield from _generated()
    found = materialize.measured()
    yield _row(f"{found['rows']:,} materialized, rows/s", found, "DuckDB COPY, twice", "≥ 0.50")
    for part in ("choose", "look", "write"):
        yield _limit(f"{found['rows']:,} materialized: {part}, s", found[f"{part}_s"], "-")
    found = lineage.measured()
    yield _limit("lineage of a row, a million events, worst, s", found["worst_row_s"], "< 0.20")
    yield _limit("`lem explain` of it, as a command, s", found["command_s"], "-")
    found = start.ratio()
    yield _row("`lem --help`, s", found, "import typer", "< 0.30 s")
    if lacking := missing():
        print(f"Kafka is not measured: {' and '.join(lacking)} not found.", file=sys.stderr)
    else:
        yield from _over_kafka()


def _deduped() -> Iterator[Row]:
    found = dedup.ratio()
    yield _row("near-duplicates, text to verdict, texts/s", found, "datasketch", "≥ 5")
    yield _limit("the same: similar pairs that are found, share", found["recall"], "≥ 0.95")
    found = dedup.large(_TEXTS)
    what = f"{_TEXTS:,} texts for near-duplicates"
    yield _limit(f"{what}: texts/s", found["per_s"], "≥ 10,000")
    yield _limit(f"{what}: memory at its peak, MB", found["peak_mb"], "< 2,000")


def _rescored() -> Iterator[Row]:
    found = rescore.rates()
    count = f"{found['generations']:,}"
    what = f"{count} rescored, refreshed, compared, /s"
    yield _row(what, found, "re.findall, only scoring", "-")
    per_core = {"ours": None, "rival": None, "ratio": found["ratio_per_core"]}
    yield _row(f"{count} the same, by the time of cores", per_core, "re.findall, only scoring", "-")
    for part, each in found["parts"].items():
        yield _limit(f"{count}: {part} alone, generations/s", each["per_s"], "-")
    for step, each in found["commands"].items():
        yield _limit(f"{count}: {step}, generations/s", each["per_s"], "-")
        yield _limit(f"{count}: {step}, memory at its peak, MB", each["peak_mb"], "< 1,000")


def _generated() -> Iterator[Row]:
    ours, *rivals = generate.measured()
    for rival, target in zip(rivals, ("≥ 8", "≥ 3"), strict=True):
        rate = {"ours": ours.answers_per_s, "rival": rival.answers_per_s}
        ratio = {**rate, "ratio": ours.answers_per_s / rival.answers_per_s}
        yield _row("behind a kernel of 2,000 tokens, answers/s", ratio, rival.way, target)
    yield _limit("the same, tokens/s", ours.tokens_per_s, "-")
    for each in (ours, *rivals):
        yield _limit(f"{each.way}: memory of MLX at its peak, MB", each.peak_mb, "-")


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


def _row(what: str, found: Mapping[str, float | None], name: str, target: str) -> Row:
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
    rows: list[Row] = []
    for row in measured():  # it takes minutes: each figure is told when it is there
        ratio = "" if row["ratio"] is None else f", {row['ratio']:.2f} times {row['named']}"
        ours = "" if row["lem"] is None else f": {row['lem']:,.2f}"
        print(f"{row['what']}{ours}{ratio}", file=sys.stderr, flush=True)
        rows.append(row)
    show(rows, as_json="--json" in sys.argv)
