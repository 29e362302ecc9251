"""A program in a process of its own: how long it takes, and how much memory at its peak."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_UNIT = 1 if sys.platform == "darwin" else 1024  # of `ru_maxrss`, in bytes
_LOOK_EVERY_S = 0.2


class Cost(NamedTuple):
    """What a program took, and the processes that it started."""

    wall_s: float
    cpu_s: float
    """On all cores."""

    peak_mb: float
    """The most memory that one of its processes held at once, in millions of bytes."""

    together_mb: float
    """The most that all of them held, as seen now and then; what they share counts each time."""

    said: str
    """What it printed."""


def cost(program: Sequence[str], env: Mapping[str, str]) -> Cost:
    """Run a program to its end.

    Raises:
        RuntimeError: It failed; the message has what it printed.
    """
    # A process begins with its parent's peak for its own, so a small one stands between.
    between = [sys.executable, "-m", __name__, *program]
    done = subprocess.run(between, env=env, capture_output=True, text=True, check=True)
    said, _, measured = done.stdout.rstrip().rpartition("\n")
    status, wall_s, cpu_s, peak_mb, together_mb = json.loads(measured)
    if status:
        raise RuntimeError(f"{' '.join(program)} ended with {status}:\n{said}{done.stderr}")
    return Cost(wall_s, cpu_s, peak_mb, together_mb, said)


def _watched(program: list[str]) -> tuple[int, float, float, float, float]:
    began, together = time.perf_counter(), 0
    pid = os.posix_spawnp(program[0], program, os.environ)
    while not (ended := os.wait4(pid, os.WNOHANG))[0]:
        together = max(together, _held(pid))
        time.sleep(_LOOK_EVERY_S)
    took, used = time.perf_counter() - began, ended[2]
    peak = used.ru_maxrss * _UNIT
    status = os.waitstatus_to_exitcode(ended[1])
    return status, took, used.ru_utime + used.ru_stime, peak / 1e6, max(peak, together) / 1e6


def _held(pid: int) -> int:
    """Bytes in the memory of a process and of all that come from it."""
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, check=True)
    rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    family = {pid}
    for child, parent, _ in sorted(rows):  # a child's number is mostly above its parent's
        if parent in family:
            family.add(child)
    return sum(held for child, _, held in rows if child in family) * 1024


if __name__ == "__main__":
    print(f"\n{json.dumps(_watched(sys.argv[1:]))}")
