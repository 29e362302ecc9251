"""A scorer version never changes: what the log says of it is held against what there is now."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agents.scorers.base import Scorer
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.replay import Views


_OTHERS = "select definition from scores where scorer = ? and definition <> ? limit 1"


def refuse_changed(views: "Views", scorers: Iterable[Scorer]) -> None:
    """Refuse a scorer that has scores on the log by another definition.

    Raises:
        ConfigError: One has; the message has both hashes, and what to do.
    """
    for one in scorers:
        query = (
            "select distinct definition from scores where scorer = ? and definition <> ? limit 1"
        )
        for row in views.rows(query, [one.label, one.definition]):
            raise ConfigError(
                f"Scorer {one.label} has changed: its definition is {one.definition[:12]} now, but"
                f" the log has scores of it by {row['definition'][:12]}. A changed scorer needs a"
                " version of its own: put the old one back, and name the new one"
                f" {one.name}@… (`lem scorers show {one.label}` begins its file)."
            )
