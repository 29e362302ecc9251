"""What tests of models need: asks, spoilt copies of the tiny model, servers to ask."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx

from agents.models import Ask
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


class Reply(NamedTuple):
    """What the scripted server answers once; without a status it says nothing at all."""

    body: Any
    status: int | None = 200
    headers: Mapping[str, str] = MappingProxyType({})


class Asked(NamedTuple):
    """What the scripted server was asked once."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def completion(text: str, **fields: Any) -> Reply:
    """A completion as servers send it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    return Reply({"choices": [{**choice, "finish_reason": "stop"}], **fields})


@contextmanager
def scripted(*replies: Reply) -> Iterator[tuple[str, list[Asked]]]:
    """Serve the replies in turn, the last one for ever; yield the URL and what was asked."""
    asked: list[Asked] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = replies[min(len(asked), len(replies) - 1)]
            asked.append(Asked(self.path, dict(self.headers), json.loads(body)))
            if reply.status is None:
                over.wait()
                return
            sent = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(sent)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            over.set()
            server.shutdown()
            thread.join()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def mlx_server(folder: Path, log: Path) -> Iterator[str]:
    """Run `mlx_lm server` in a process of its own; yield its URL once it answers."""
    port = str(free_port())
    command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(folder), "--port", port]
    with log.open("wb") as output, subprocess.Popen(command, stderr=output) as process:
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/health", process, log)
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
    raise RuntimeError(f"mlx_lm server does not answer: {log.read_text()[-2000:]}")
