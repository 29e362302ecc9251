"""Settling from the command line: with progress, and only where no worker is at it."""

from collections import deque
from typing import TYPE_CHECKING

from streams.cli.context import viewed
from streams.cli.shown import progress
from streams.config import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.base import Fact
    from streams.curriculum import Curriculum
    from streams.log.door import Store


def settle(store: "Store", found: Settings, curriculum: "Curriculum") -> None:
    """Decide what the policies of now have not decided.

    Raises:
        GroupTaken: A worker is at it.
        ConfigError: A gate's scorer is not the one that gave the scores on the log.
    """
    from agents.settle import STEPS, check

    with store.held(found.group):
        steps = deque(STEPS)
        while steps:
            with viewed(store, found, curriculum) as views:
                check(views, curriculum)
                # The views are of one moment: what a step wrote is seen in the next ones.
                while steps and not _wrote(store, steps.popleft()(store, views, curriculum)):
                    pass


def look(store: "Store", found: Settings, curriculum: "Curriculum") -> None:
    """Only check the scorers, for who decides beside others and can't settle.

    Raises:
        ConfigError: A gate's scorer is not the one that gave the scores on the log.
    """
    from agents.settle import check

    with viewed(store, found, curriculum) as views:
        check(views, curriculum)


def _wrote(store: "Store", facts: "Iterator[Fact]") -> bool:
    from streams.envelope import written

    total = 0
    with progress("settling") as bar:
        for count in written(store, facts):
            bar.update(bar.task_ids[0], advance=count)
            total += count
    return total > 0
