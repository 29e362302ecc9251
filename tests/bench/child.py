"""A program in a process of its own: how long it takes, and how much memory at its peak."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_UNIT = 1 if sys.platform == "darwin" else 1024  # of `ru_maxrss`, in bytes

# A process begins with its parent's peak for its own, so a small one stands between.
_BETWEEN = """
import resource, subprocess, sys, time
began = time.perf_counter()
status = subprocess.run(sys.argv[1:]).returncode
took = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print()
print(status, took, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


class Cost(NamedTuple):
    """What a command took."""

    wall_s: float
    cpu_s: float
    """On all cores."""

    peak_mb: float
    """The most memory that it held at once, in millions of bytes."""

    said: str
    """What it printed."""


def cost(program: Sequence[str], env: Mapping[str, str]) -> Cost:
    """Run a program to its end.

    Raises:
        RuntimeError: It failed; the message has what it printed.
    """
    between = [sys.executable, "-c", _BETWEEN, *program]
    done = subprocess.run(between, env=env, capture_output=True, text=True, check=True)
    said, _, measured = done.stdout.rstrip().rpartition("\n")
    status, wall_s, cpu_s, peak = measured.split()
    if status != "0":
        raise RuntimeError(f"{' '.join(program)} ended with {status}:\n{said}{done.stderr}")
    return Cost(float(wall_s), float(cpu_s), int(peak) * _UNIT / 1e6, said)
