"""A local stand-in of a hub: the endpoints that publishing calls, and what was put there."""

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_standin"


_KINDS = {"/api/repos/create": "create", "/api/validate-yaml": "validate"}


class Hub:
    """What the server holds, and how it shall misbehave."""

    def __init__(self) -> None:
        self.url = ""
        self.private: dict[str, bool] = {}
        """Its repositories; whether each is private."""
        self.files: dict[str, dict[str, bytes]] = {}
        """What the last commit of each repository holds."""
        self.messages: list[str] = []
        """Of its commits."""
        self.blobs: dict[str, bytes] = {}
        """Large files by their SHA-256, whether committed or not."""
        self.asked: Counter[str] = Counter()
        """How often each kind of call came."""
        self.broken: set[str] = set()
        """The kinds of call that it refuses now."""

    def commit(self, repo: str, lines: list[dict[str, Any]]) -> str:
        """Put the files of a commit in place, all of them or none."""
        found: dict[str, bytes] = {}
        message = ""
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                message = value["summary"]
            elif line["key"] == "file":
                found[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                found[value["path"]] = self.blobs[value["oid"]]
        self.files[repo].update(found)
        self.messages.append(message)
        return hashlib.sha1(repr(self.messages).encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        repo, rest = self._repo()
        kind = "tree" if rest.startswith("tree") else "info"
        if not self._may(kind):
            return
        if repo not in self.hub.files:
            self._say({"error": "not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        elif kind == "tree":
            self._say([_entry(name, body) for name, body in self.hub.files[repo].items()])
        else:
            self._say({"id": repo, "private": self.hub.private[repo], "siblings": []})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        repo, rest = self._repo()
        kind = self.path.rsplit("/", 1)[-1] if "lfs" in self.path else rest.split("/")[0]
        kind = _KINDS.get(self.path, kind)
        if self._may(kind):
            getattr(self, f"_{kind}")(repo, body)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._may("upload"):
            self.hub.blobs[hashlib.sha256(body).hexdigest()] = body
            self._say({})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _create(self, repo: str, body: bytes) -> None:
        asked = json.loads(body)
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if name in self.hub.files:
            known = {"error": "You already created this", "url": f"{self.hub.url}/datasets/{name}"}
            self._say(known, 409)
            return
        self.hub.files[name] = {".gitattributes": b"*.parquet filter=lfs\n"}
        self.hub.private[name] = asked.get("visibility", "public") == "private" or asked.get(
            "private", False
        )
        self._say({"url": f"{self.hub.url}/datasets/{name}", "name": name})

    def _validate(self, repo: str, body: bytes) -> None:
        assert json.loads(body)["content"].startswith("---")
        self._say({"errors": [], "warnings": []})

    def _preupload(self, repo: str, body: bytes) -> None:
        files = [
            {"path": f["path"], "uploadMode": _mode(f["path"]), "shouldIgnore": False, "oid": None}
            for f in json.loads(body)["files"]
        ]
        self._say({"files": files})

    def _batch(self, repo: str, body: bytes) -> None:
        objects = []
        for each in json.loads(body)["objects"]:
            action = {"upload": {"href": f"{self.hub.url}/blobs/{each['oid']}"}}
            known = each["oid"] in self.hub.blobs
            objects.append({**each, **({} if known else {"actions": action})})
        self._say({"transfer": "basic", "objects": objects})

    def _commit(self, repo: str, body: bytes) -> None:
        oid = self.hub.commit(repo, [json.loads(line) for line in body.splitlines()])
        url = f"{self.hub.url}/datasets/{repo}/commit/{oid}"
        self._say({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    def _repo(self) -> tuple[str, str]:
        path = self.path.split("?")[0].removeprefix("/api").removeprefix("/datasets/")
        owner, _, rest = path.partition("/")
        name, _, more = rest.partition("/")
        return f"{owner}/{name.removesuffix('.git')}", more

    def _may(self, kind: str) -> bool:
        self.hub.asked[kind] += 1
        if kind in self.hub.broken:
            self._say({"error": "out of order"}, 500)
        elif kind != "upload" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._say({"error": "Invalid username or password."}, 401)
        else:
            return True
        return False

    def _say(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def hub() -> Iterator[Hub]:
    """A hub on this machine, empty."""
    held = Hub()
    handler = type("Handler", (_Handler,), {"hub": held})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        held.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()


def _mode(path: str) -> str:
    return "lfs" if path.endswith(".parquet") else "regular"


def _entry(name: str, body: bytes) -> dict[str, Any]:
    sha1 = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
    entry = {"type": "file", "path": name, "size": len(body), "oid": sha1}
    if _mode(name) == "lfs":
        lfs = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 130}
        return {**entry, "oid": "0" * 40, "lfs": lfs}
    return entry
