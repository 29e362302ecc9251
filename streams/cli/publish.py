"""`lem publish`: send a dataset to a dataset repository."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.shown import Json, json_lines, near, table
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.publish import Plan

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="A dataset's folder, as LEM_HOME/datasets/….")
]
To = Annotated[str, typer.Option("--to", metavar="OWNER/NAME", help="The dataset repository.")]
Public = Annotated[bool, typer.Option("--public", help="Let everybody read it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be sent; send nothing.")]


def publish(
    folder: Folder,
    *,
    to: To,
    public: Public = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send a dataset to a hub.

    A repository that is not there yet is made, and private unless --public is said. The token
    comes from HF_TOKEN, or from where `hf auth login` puts it; another hub from HF_ENDPOINT. What
    is there already is not sent again, so a call that was broken off is simply repeated.

    Example: lem publish .lem/datasets/phase-1-3fa9c2d1 --to lthn/phase-1 --dry-run
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import HfApi, get_token

    from agents import publish as sending

    if not (dry_run or get_token()):
        raise ConfigError(
            "There is no token for the hub: set HF_TOKEN, or run `hf auth login`; it needs the"
            " right to write."
        )
    api = HfApi(library_name="lem")
    planned = sending.plan(api, to, folder, is_public=public)
    address = None if dry_run else sending.publish(api, planned, is_public=public)
    if as_json:
        json_lines([_object(planned, address)])
    else:
        _tell(planned, address, public=public)


def _object(planned: "Plan", address: str | None) -> dict[str, object]:
    files = [each._asdict() for each in planned.changes]
    return {
        "repo": planned.repo,
        "dataset": planned.dataset,
        "phase": planned.phase,
        "is_new": planned.is_new,
        "files": files,
        "address": address,
    }


def _tell(planned: "Plan", address: str | None, *, public: bool) -> None:
    title = f"dataset {planned.dataset[:8]}, phase {planned.phase}, to {planned.repo}"
    table([each._asdict() for each in planned.changes], title=title)
    total = sum(each.size for each in planned.sent)
    if address is None:
        made = f"make a {'public' if public else 'private'} repository and " * planned.is_new
        print(f"It would {made}send {len(planned.sent)} files, {total:,} bytes. Nothing was sent.")
    elif planned.sent:
        print(f"Sent {len(planned.sent)} files, {total:,} bytes, from {near(planned.folder)}.")
        print(address)
    else:
        print(f"Everything is there already: {address}")
