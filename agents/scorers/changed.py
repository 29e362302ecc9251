"""A scorer version never changes: what the log says of it is held against what there is now."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agents.scorers.base import Scorer
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.replay import Views

_GIVEN = """
select scorer, definition from scores
where list_contains(?, scorer) group by all order by all"""


def refuse_changed(views: "Views", scorers: Iterable[Scorer]) -> None:
    """Refuse a scorer that has scores on the log by another definition.

    Raises:
        ConfigError: One has; the message has both hashes, and what to do.
    """
    now = {one.label: one for one in scorers}
    for given in views.rows(_GIVEN, [list(now)]):
        one, before = now[given["scorer"]], given["definition"]
        if before != one.definition:
            raise ConfigError(
                f"Scorer {one.label} has changed: its definition is {one.definition[:12]} now, but"
                f" the log has scores of it by {before[:12]}. A changed scorer needs a version of"
                f" its own: put the old one back, and name the new one {one.name}@…"
                f" (`lem scorers show {one.label}` begins its file)."
            )
