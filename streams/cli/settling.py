"""Settling from the command line: with progress, and only where no worker is at it."""

from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.shown import progress
from streams.config import Settings
from streams.errors import GroupTaken
from streams.log.group import held

if TYPE_CHECKING:
    from streams.curriculum import Curriculum
    from streams.log.store import Store


def settled(store: "Store", found: Settings, curriculum: "Curriculum") -> bool:
    """Decide what the policies of now have not decided; false where a worker holds the group."""
    from agents import settle

    try:
        with held(Path(found.log_path), found.group):
            for what, step in (("gate", settle.gate), ("dedup", settle.dedup)):
                with progress(what, total=None) as bar:
                    for count in step(store, found, curriculum):
                        bar.update(bar.task_ids[0], advance=count)
    except GroupTaken:
        return False
    return True
