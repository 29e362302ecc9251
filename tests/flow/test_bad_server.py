"""A server that fails in every way: the run ends, every request is answered for, no key shows."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from schemas import Generated, Requested
from tests.lem import events, lem
from tests.models import Asked, Reply, completion, served

KEY = "sk-very-secret-0123456789"
TEXT = f"Both may be right, and neither has asked; your key is {KEY}."
BUSY = Reply({"error": f"slow down, {KEY}"}, 429, {"Retry-After": "0.01"})
CUT = Reply(b'{"choices": [{"mess', headers={"Content-Length": "4000"})

PASSING = [
    completion(TEXT),
    BUSY,
    Reply({"error": {"message": f"overloaded, {KEY}"}}, 500),
    Reply(b'{"choices": [{"message": {"content": "Bo'),
    CUT,
    Reply(b"", 0),
]
LASTING = [
    Reply(f"<html>{KEY}</html>".encode()),
    Reply({"error": {"message": f"maximum context length is 12, {KEY}"}}, 400),
    Reply("", status=None),
    Reply({"choices": []}),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def failing() -> Callable[[Asked, int], Reply]:
    """Each request meets one of the failures, the first of them once, the others each time."""
    asked: Counter[int] = Counter()
    fates: dict[int, Reply] = {}

    def reply(one: Asked, at_once: int) -> Reply:
        seed = one.body["seed"]
        fates.setdefault(seed, (PASSING + LASTING)[len(fates) % len(PASSING + LASTING)])
        asked[seed] += 1
        is_over = asked[seed] > 1 and fates[seed] in PASSING
        return completion(TEXT) if is_over else fates[seed]

    return reply


def test_every_request_is_accounted_for_and_no_key_is_seen(home: Path) -> None:
    env = {"OPENAI_API_KEY": KEY, "LEM_TRIES": "3", "LEM_TIMEOUT_S": "1"}
    with served(failing()) as server:
        lem(home, "seed")
        model = ("--model", f"openai:{server.url}#gemma")
        lem(home, "distill", "--phase", "demo", *model, "--limit", "20", env=env)
        done = lem(home, "run", "--until-idle", "--verbose", env=env)

    requests = [each for each in events(home, "requests") if isinstance(each, Requested)]
    found = [each for each in events(home, "generations") if isinstance(each, Generated)]
    assert sorted(each.request for each in found) == sorted(each.id for each in requests)
    assert Counter(each.outcome for each in found) == {"ok": 12, "error": 8}
    assert {each.response for each in found if each.outcome == "ok"} == {TEXT.replace(KEY, "***")}
    assert all("***" in (each.error or "") for each in found if "context" in (each.error or ""))
    lem(home, "log", "verify")
    assert all(one.headers["Authorization"] == f"Bearer {KEY}" for one in server.asked)
    assert KEY not in done.stdout + done.stderr
    assert_nowhere(KEY, home)


def assert_nowhere(key: str, home: Path) -> None:
    """Neither in an event nor in a file."""
    for topic in ("runs", "requests", "generations", "dead-letters"):
        assert all(key.encode() not in msgspec.json.encode(each) for each in events(home, topic))
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if key.encode() in path.read_bytes()] == []
