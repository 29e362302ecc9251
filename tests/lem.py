"""The real `lem`, as a process, for tests that run it as a user would."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from schemas import Event
from streams.config import Settings
from streams.connect import connected
from streams.envelope import event
from streams.log.door import Store

PROGRAM = Path(sys.executable).with_name("lem")
PROJECT = Path(__file__).resolve().parent.parent


def command(*arguments: str) -> list[str]:
    return [str(PROGRAM), *arguments]


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEM_")}
    return {**inherited, "LEM_HOME": str(home), "HF_HUB_OFFLINE": "1", **(more or {})}


def lem(
    home: Path, *arguments: str, status: int = 0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `lem` to its end; any other exit code than `status` fails the test."""
    done = subprocess.run(
        command(*arguments),
        env=environment(home, env),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def refusal(home: Path, *arguments: str, **env: str) -> str:
    """The one line that `lem` says when it refuses, with no password in it."""
    done = lem(home, *arguments, status=1, env=env)
    (line,) = done.stderr.splitlines()
    assert line.startswith("lem: ")
    assert done.stdout == ""
    assert "AIOKafka" not in line  # an object of a library is no word for a person
    assert not any(value in line for name, value in env.items() if name.endswith("_PASSWORD"))
    return line


def until(is_so: Callable[[], bool], *, timeout_s: float = 60) -> None:
    """Wait for what another process does; fail when it does not."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


async def becomes(is_so: Callable[[], bool], *, timeout_s: float = 30) -> None:
    """Wait for what this event loop, or a thread beside it, does."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110  # there is no event for everything
            await asyncio.sleep(0.005)


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a command printed with --json."""
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]


@contextmanager
def log(home: Path, env: Mapping[str, str] | None = None) -> Iterator[Store]:
    """The log that `lem` has with this home and environment."""
    named = {name.removeprefix("LEM_").lower(): value for name, value in (env or {}).items()}
    store = connected(msgspec.convert({"home": str(home), **named}, Settings, strict=False))
    try:
        yield store
    finally:
        store.close()


def events(home: Path, topic: str, env: Mapping[str, str] | None = None) -> list[Event]:
    """Every event of a topic, in the order of the log."""
    with log(home, env) as store:
        return list(_events(store, topic))


def _events(store: Store, topic: str) -> Iterator[Event]:
    for partition in range(store.topics()[topic]):
        yield from (event(record) for record in store.scan(topic, partition))


def facts(home: Path, topic: str, env: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The events without what differs from run to run: when, by whom, beside which others."""
    passing = ("at", "by", "prefill_s", "decode_s", "saved_tokens")
    found = (msgspec.to_builtins(each) for each in events(home, topic, env))
    return [{k: v for k, v in fields.items() if k not in passing} for fields in found]


def told(home: Path, topic: str, env: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The facts that are the same however the steps took turns, by their ids.

    Where many answers are under way, a better copy may come before or after the worse one, and
    then adds a decision of dedup: of these its last word on each generation is told.
    """
    found = sorted(facts(home, topic, env), key=lambda fact: str(fact["id"]))
    if topic == "decisions":
        gated = [fact for fact in found if fact["step"] == "gate"]
        return gated + _last_words(fact for fact in found if fact["step"] == "dedup")
    return [_without_turns(fact) for fact in found] if topic == "datasets" else found


def _last_words(deduped: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rejected once is rejected: no decision of dedup is ever taken back."""
    said: dict[tuple[str, str], dict[str, Any]] = {}
    for fact in deduped:
        key = fact["generation"], fact["policy"]
        if key not in said or fact["verdict"] == "rejected":
            said[key] = {name: fact[name] for name in (*_SUBJECT, "verdict")}
    return [said[key] for key in sorted(said)]


_SUBJECT = ("generation", "policy", "phase", "run", "scorer", "score", "fingerprint")


def _without_turns(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without how many decisions there were by then."""
    positions = [each for each in manifest["positions"] if each["topic"] != "decisions"]
    return manifest | {"positions": positions}


def made(home: Path) -> dict[str, Any]:
    """The dataset files as `told` tells facts: the bytes of all, of a manifest what it says."""
    return {
        path: _without_turns(msgspec.json.decode(held)) if path.endswith("manifest.json") else held
        for path, held in datasets(home).items()
    }


DATASET = {
    "README.md",
    "manifest.json",
    *(f"{split}.jsonl" for split in ("train", "valid", "test")),
    *(f"data/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")),
}
"""The files of one dataset, by their paths in its folder."""


def files(home: Path) -> list[str]:
    """Of every dataset below the home, the paths of its files in its folder."""
    return [path.partition("/")[2] for path in datasets(home)]


def datasets(home: Path) -> dict[str, bytes]:
    """Every dataset file below the home, by its path."""
    root = home / "datasets"
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}
