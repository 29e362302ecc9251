"""`lem publish` against a local stand-in of the hub."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.dataset.folder import read
from agents.dataset.recipe import now
from agents.materialize import materialize
from tests.events import put, started
from tests.hub import TOKEN, Hub, hub
from tests.lem import lem
from tests.made import answered, phase, store_in

FILES = {
    *("README.md", "train.jsonl", "valid.jsonl", "test.jsonl", "data/train-00000-of-00001.parquet"),
    *("data/validation-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
}


@pytest.fixture
def server() -> Iterator[Hub]:
    with hub() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "phase-1", "P1", "P2")


def written(folder: Path, *probes: str) -> Path:
    """A dataset's folder, with a row for each probe."""
    under = phase()
    home = folder.parent / "-".join(probes)
    with store_in(home) as store:
        put(store, started(), *(event for probe in probes for event in answered(under, probe)))
        materialize(store, home, now(under), out=folder)
    return folder


def published(
    server: Hub, folder: Path, *more: str, token: str = TOKEN, code: int = 0
) -> subprocess.CompletedProcess[str]:
    env = {"HF_TOKEN": token, "HF_HOME": str(folder.parent / "hf")}
    return sent(server.url, folder, "me/phase-1", *more, env=env, code=code)


def sent(
    url: str, folder: Path, to: str, *more: str, env: dict[str, str], code: int
) -> subprocess.CompletedProcess[str]:
    """`lem publish` to the hub at this address; tests are offline but for it."""
    env = {"HF_ENDPOINT": url, "HF_HUB_OFFLINE": "0", **env}
    return lem(folder.parent, "publish", str(folder), "--to", to, *more, env=env, status=code)


def test_what_is_published_is_what_the_manifest_names(server: Hub, folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")

    said = published(server, folder).stdout

    there = server.files["me/phase-1"]
    assert there.keys() == {*FILES, "manifest.json", ".gitattributes"}
    assert all(there[name] == (folder / name).read_bytes() for name in FILES)
    assert server.private["me/phase-1"]
    (message,) = server.messages
    assert message == f"Dataset {read(folder).id[:8]}, phase 1"
    assert "Sent 8 files" in said
    assert f"{server.url}/datasets/me/phase-1/commit/" in said


def test_public_only_where_it_is_said(server: Hub, folder: Path) -> None:
    published(server, folder, "--public")
    assert not server.private["me/phase-1"]

    refused = published(server, folder, code=1)

    assert "me/phase-1 is public" in refused.stderr
    assert "--public" in refused.stderr
    assert len(server.messages) == 1


def test_a_dry_run_sends_nothing(server: Hub, folder: Path) -> None:
    said = published(server, folder, "--dry-run").stdout

    assert "make a private repository and send 8 files" in said
    assert server.files == {}
    assert set(server.asked) == {"info"}


def test_published_again_sends_only_what_changed(server: Hub, folder: Path) -> None:
    published(server, folder)
    assert "Everything is there already" in published(server, folder).stdout
    assert len(server.messages) == 1

    before = {name: (folder / name).read_bytes() for name in FILES}
    written(folder, "P1", "P2", "P3")
    changed = {name for name in FILES if (folder / name).read_bytes() != before[name]}
    (told,) = map(json.loads, published(server, folder, "--json").stdout.splitlines())

    states = {each["name"]: each["state"] for each in told["files"]}
    assert {name for name, state in states.items() if state == "same"} == FILES - changed
    assert {name for name, state in states.items() if state == "changed"} > changed
    assert server.asked["upload"] == 3 + sum(name.endswith("parquet") for name in changed)


def test_broken_off_before_the_commit_it_goes_on_with_what_is_there(
    server: Hub, folder: Path
) -> None:
    server.broken.add("commit")
    refused = published(server, folder, code=1)
    assert "500" in refused.stderr
    assert "publish again" in refused.stderr
    assert set(server.files["me/phase-1"]) == {".gitattributes"}

    sent = server.asked["upload"]
    server.broken.clear()
    published(server, folder)

    assert server.asked["upload"] == sent
    assert server.files["me/phase-1"].keys() > FILES


def test_a_manifest_that_names_a_file_outside_is_refused(server: Hub, folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("README.md", "../hf/token"))

    assert (
        "names ../hf/token, which is not in its folder" in published(server, folder, code=1).stderr
    )
    assert not server.asked


@pytest.mark.parametrize("name", ["train.jsonl", "README.md"])
def test_a_changed_or_missing_file_is_refused(server: Hub, folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"other")
    changed = published(server, folder, code=1)
    assert f"{name} changed since" in changed.stderr

    (folder / name).unlink()
    missing = published(server, folder, code=1)
    assert "no whole dataset" in missing.stderr
    assert "lem materialize" in missing.stderr
    assert not server.asked


def test_the_token_is_asked_for_and_never_told(server: Hub, folder: Path) -> None:
    none = published(server, folder, token="", code=1)
    assert "HF_TOKEN" in none.stderr

    wrong = published(server, folder, token="hf_wrong", code=1)
    assert "401" in wrong.stderr
    assert "HF_TOKEN" in wrong.stderr
    assert "hf_wrong" not in wrong.stderr + wrong.stdout
    assert "Traceback" not in wrong.stderr


def test_a_hub_that_is_away_and_a_name_that_is_none(folder: Path) -> None:
    env = {"HF_TOKEN": TOKEN}
    away = sent("http://127.0.0.1:1", folder, "me/x", env=env, code=1)
    assert "me/x was not published" in away.stderr
    assert "publish again" in away.stderr

    named = sent("http://127.0.0.1:1", folder, "a/b/c", env=env, code=1)
    assert "OWNER/NAME" in named.stderr
