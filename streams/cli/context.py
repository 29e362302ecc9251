"""What a command works on: the settings, the log and the curriculum that hold here."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.shown import progress
from streams.config import Settings, settings
from streams.connect import connected, declare
from streams.log.door import Store
from streams.origin import write_as

if TYPE_CHECKING:
    from rich.progress import Progress

    from streams.curriculum import Curriculum
    from streams.replay import Views


@contextmanager
def opened(found: Settings | None = None, *, must_exist: bool = False) -> Iterator[Store]:
    """The log, with every topic declared; what is written is written by the worker of `found`.

    Raises:
        LogError: There is none yet and `must_exist`; the message says how to begin one.
    """
    found = found or settings()
    write_as(found.worker)
    store = connected(found, must_exist=must_exist)
    try:
        declare(store, found)
        yield store
    finally:
        store.close()


@contextmanager
def viewed(
    store: Store, found: Settings, curriculum: "Curriculum | None" = None
) -> Iterator["Views"]:
    """The views of the log as it is now, under the policies of now; with progress, if it takes."""
    from streams import replay
    from streams.curriculum import load

    policies = replay.policies(curriculum or load(Path(found.curriculum)))
    with ExitStack() as views, ExitStack() as shown:
        bars: list[Progress] = []

        def copied(records: int) -> None:
            if not bars:
                bars.append(shown.enter_context(progress("reading the log", total=_total(store))))
            bars[0].update(bars[0].task_ids[0], advance=records)

        entered = replay.opened(store, found.home_path, policies, progress=copied)
        opened = views.enter_context(entered)
        shown.close()
        yield opened


def _total(store: Store) -> int:
    return sum(store.ends().values())
