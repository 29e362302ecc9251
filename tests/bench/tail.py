"""How soon after an append a second process sees the record, and what its waiting costs.

Run: python -m tests.bench.tail
"""

import json
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

import msgspec

from streams.config import Settings
from streams.connect import connected
from streams.log.door import Store
from streams.log.records import Draft

_PAUSE_S = 0.007  # no multiple of the reader's own pause, so that every phase of it is met
_IDLE_S = 1.0

_READER = """
import resource, sys, time
import msgspec
from streams.config import Settings
from streams.connect import connected
from streams.reading import follow

store = connected(msgspec.json.decode(sys.argv[1], type=Settings))
print("ready", flush=True)
for record in follow(store, "generations", start="start"):
    seen = time.time_ns()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(record.offset, seen, used.ru_utime + used.ru_stime, flush=True)
"""


class _Seen(NamedTuple):
    offset: int
    at_ns: int
    cpu_s: float


def lag(broker: str = "", appends: int = 300) -> dict[str, Any]:
    """Append events of 4 KB one by one while another process follows them.

    Args:
        broker: Where the log is, on which nothing must be yet; an embedded one if empty.
        appends: How many, before the rest.

    Returns:
        Milliseconds from the durable append to the reader's next line (below 0 where the reader
        was quicker than the return of the append), and the share of a core that the reader
        takes while nothing comes.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = Settings(home=folder, broker=broker, topic_prefix="tail.")
        store = connected(found)
        store.declare("generations", 1)
        command = [sys.executable, "-c", _READER, msgspec.json.encode(found).decode()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            try:
                seen, durable_ns = _measured(store, reader, appends)
            finally:
                reader.kill()
                store.close()
    return _summary(seen, durable_ns)


def _measured(
    store: Store, reader: "subprocess.Popen[str]", appends: int
) -> tuple[list[_Seen], list[int]]:
    """What the reader saw and when each append was durable; the last one comes after a rest."""
    _next(reader)
    durable_ns = []
    for number in range(appends + 1):
        time.sleep(_PAUSE_S if number < appends else _IDLE_S)
        store.append([Draft("generations", b"x" * 4096)])
        durable_ns.append(time.time_ns())
    lines = [_next(reader).split() for _ in durable_ns]
    return [_Seen(int(line[0]), int(line[1]), float(line[2])) for line in lines], durable_ns


def _next(reader: "subprocess.Popen[str]") -> str:
    assert reader.stdout is not None
    return reader.stdout.readline()


def _summary(seen: list[_Seen], durable_ns: list[int]) -> dict[str, Any]:
    before, last = seen[-2:]
    lags = sorted((s.at_ns - durable_ns[s.offset]) / 1e6 for s in seen)
    return {
        "appends": len(lags),
        "p50_ms": lags[len(lags) // 2],
        "p99_ms": lags[len(lags) * 99 // 100],
        "idle_cpu_share": (last.cpu_s - before.cpu_s) / ((last.at_ns - before.at_ns) / 1e9),
    }


if __name__ == "__main__":
    print(json.dumps(lag(), indent=2))
