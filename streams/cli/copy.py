"""`lem log copy`: a whole log to another place."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.shown import Json, completed_later, json_lines, progress, table
from streams.config import settings
from streams.connect import LOGS, at, connected
from streams.errors import ConfigError
from streams.log.door import Store

if TYPE_CHECKING:
    from streams.copy import Copied

From = Annotated[str, typer.Argument(metavar="FROM", help=f"The log to copy: {LOGS}.")]
To = Annotated[str, typer.Argument(metavar="TO", help="Where to, in the same way.")]


def copy(source: From, target: To, *, as_json: Json = False) -> None:
    """Copy a whole log: a file to a broker, a broker to a file, or alike to alike.

    Events that are there already are left out, so the same command goes on with a copy that was
    stopped, and brings a later one up to date. All is read back and compared; then each group
    goes on where it was. Without a /PREFIX that of LEM_TOPIC_PREFIX holds; who we are to a broker
    is in the settings. A topic that is there already keeps its partitions.

    Example: lem log copy .lem/log.db kafka://localhost:9092
    """
    from streams.copy import copied

    with _opened(source, target) as (read, written):
        # Each record is copied and read back; what the target has is read once.
        total = 2 * sum(read.ends().values()) + sum(written.ends().values())
        with completed_later("What was copied stays"), progress("Copying the log", total) as bar:
            found = copied(read, written, progress=lambda n: bar.update(bar.task_ids[0], advance=n))
    if as_json:
        json_lines([found])
    else:
        _print(found)


@contextmanager
def _opened(source: str, target: str) -> Iterator[tuple[Store, Store]]:
    """Both logs; the target is not made where there is no source."""
    found = settings()
    read, written = at(source, found), at(target, found)
    with (
        closing(connected(read, must_exist=True)) as one,
        closing(connected(written)) as other,
    ):
        _refuse_itself(one, other)
        yield one, other


def _refuse_itself(source: Store, target: Store) -> None:
    """Refuse a log that would be copied to itself, whatever its two names are."""
    if source.is_shared and target.is_shared:
        is_one = source.folder == target.folder
    elif source.is_shared or target.is_shared:
        is_one = False
    else:
        is_one = Path(source.place).samefile(target.place)
    if is_one:
        raise ConfigError(f"{source.place} and {target.place} are the same log; name two.")


def _print(found: "Copied") -> None:
    rows = [
        {
            "topic": each.topic,
            "records": each.records,
            "copied now": each.copied,
            "there already": each.there,
        }
        for each in found.topics
    ]
    table(rows)
    print(" ".join(_sentences(found)))


def _sentences(found: "Copied") -> Iterator[str]:
    total = sum(count.records for count in found.topics)
    yield (
        f"All {total:,} records of {found.source} are at {found.target}: they were read back and"
        " compared."
    )
    if again := sum(count.repeated for count in found.topics):
        yield f"{again:,} repeat an event of the source; the copy has it once."
    if found.beyond:
        yield f"The target has {found.beyond:,} that the source has not."
    if found.meanwhile:
        yield f"{found.meanwhile:,} came to the source meanwhile; the same command copies them."
    if found.carried:
        yield f"Groups that go on where they were: {', '.join(found.carried)}."
    if found.kept:
        yield f"Groups that keep their own place at the target: {', '.join(found.kept)}."
