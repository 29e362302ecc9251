"""What tests of models need: asks, spoilt copies of the tiny model, servers to ask."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx

from agents.models import Answer, Ask, Model
from schemas.request import Sampling


def asking(
    prompt: str = "What is consent?", *, system: str | None = None, seed: int = 1, **sampling: Any
) -> Ask:
    """An ask with defaults; 48 tokens at most."""
    drawn = Sampling(**{"max_tokens": 48, **sampling})
    return Ask(system=system, prompt=prompt, sampling=drawn, seed=seed)


def variant(
    source: Path,
    target: Path,
    *,
    template: str | None = None,
    without: tuple[str, ...] = (),
    **settings: dict[str, Any],
) -> Path:
    """Copy a model's folder with another template, fewer files or other settings.

    `config={"eos_token_id": 1}` sets a value in config.json.
    """
    shutil.copytree(source, target)
    if template is not None:
        (target / "chat_template.jinja").write_text(template, encoding="utf-8")
    for name in without:
        (target / name).unlink()
    for stem, values in settings.items():
        file = target / f"{stem}.json"
        file.write_text(json.dumps({**json.loads(file.read_bytes()), **values}), encoding="utf-8")
    return target


class Slow(Model):
    """A model that answers when it is told to, and remembers what it was asked."""

    room = 4

    def __init__(self, url: str = "slow:", room: int = 4) -> None:
        self.url = url
        self.room = room
        self.asked: list[Ask] = []
        self.open: dict[str, Future[Answer]] = {}
        """What it has not answered, by prompt."""
        self.is_closed = False

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Remember the ask."""
        self.asked.append(ask)
        self.open[ask.prompt] = Future()
        return self.open[ask.prompt]

    def tell(self, prompt: str, text: str = "However, it depends.", **fields: Any) -> None:
        """Answer an ask."""
        facts: dict[str, Any] = {
            "finish_reason": "stop",
            "system_role": "none",
            "revision": "1",
            "prompt_tokens": 9,
            "completion_tokens": 3,
            "prefill_s": 0.0,
            "decode_s": 0.1,
        }
        self.open.pop(prompt).set_result(Answer(text=text, **(facts | fields)))

    def tell_all(self) -> None:
        """Answer every ask."""
        for prompt in list(self.open):
            self.tell(prompt)

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True


class Reply(NamedTuple):
    """What a server answers once; a longer Content-Length among the headers cuts it short."""

    body: Any
    status: int | None = 200
    """None says nothing at all, 0 hangs up."""
    headers: Mapping[str, str] = MappingProxyType({})


class Asked(NamedTuple):
    """What a server was asked once."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Server:
    """A server of ours: what it was asked, and how much at once."""

    def __init__(self, reply: Callable[[Asked, int], Reply]) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.now = 0
        """How many asks it has at once."""
        self.most = 0
        """How many it had at most."""
        self.over = threading.Event()
        self._reply = reply
        self._door = threading.Lock()

    def reply(self, asked: Asked) -> Reply:
        """What is answered; the ask counts until then."""
        with self._door:
            self.asked.append(asked)
            self.now += 1
            self.most = max(self.most, self.now)
            at_once = self.now
        try:
            return self._reply(asked, at_once)
        finally:
            with self._door:
                self.now -= 1


def completion(text: str, **fields: Any) -> Reply:
    """A completion as servers send it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    return Reply({"choices": [{**choice, "finish_reason": "stop"}], **fields})


@contextmanager
def scripted(*replies: Reply, delay_s: float = 0) -> Iterator[tuple[str, list[Asked]]]:
    """Serve the replies in turn, the last one for ever; yield the URL and what was asked."""
    turns = chain(replies, repeat(replies[-1]))

    def reply(*_: Any) -> Reply:
        told = next(turns)
        server.over.wait(delay_s)
        return told

    with served(reply) as server:
        yield server.url, server.asked


@contextmanager
def served(reply: Callable[[Asked, int], Reply]) -> Iterator[Server]:
    """Serve what `reply` says to an ask and to how many there are; it may take its time."""
    server = Server(reply)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = server.reply(Asked(self.path, dict(self.headers), json.loads(body)))
            if told.status is None:
                server.over.wait()
            elif told.status:
                self._tell(told.status, told)

        def _tell(self, status: int, told: Reply) -> None:
            sent = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(sent)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    with _Listening(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        server.url = f"http://127.0.0.1:{listening.server_port}/v1"
        try:
            yield server
        finally:
            server.over.set()
            listening.shutdown()
            thread.join()


class _Listening(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes is no error of the server."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def mlx_server(folder: Path, log: Path) -> Iterator[str]:
    """Run `mlx_lm server` in a process of its own; yield its URL once it answers."""
    command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(folder)]
    with running(command, log, health="/health") as url:
        yield url


@contextmanager
def running(command: list[str], log: Path, *, health: str) -> Iterator[str]:
    """Run a server on a free port, in a process of its own; yield its URL once it answers."""
    port = str(free_port())
    with (
        log.open("wb") as output,
        subprocess.Popen([*command, "--port", port], stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_up(f"http://127.0.0.1:{port}{health}", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{process.args!r} does not answer: {log.read_text()[-2000:]}")
