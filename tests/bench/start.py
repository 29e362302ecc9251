"""How long `lem --help` takes, against the library that reads its command line."""

import os
import statistics
import subprocess
import sys
import time

from tests.lem import command

_ROUNDS = 7


def ratio() -> dict[str, float]:
    """Seconds of both, the median of rounds in turns, and ours by theirs."""
    ours, rival = [], []
    for _ in range(_ROUNDS):
        rival.append(_timed([sys.executable, "-c", "import typer"]))
        ours.append(_timed(command("--help")))
    found = statistics.median(ours), statistics.median(rival)
    return {"ours": found[0], "rival": found[1], "ratio": found[0] / found[1]}


def _timed(program: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(program, stdout=subprocess.DEVNULL, env=os.environ, check=True)
    return time.perf_counter() - began
