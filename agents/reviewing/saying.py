"""What reviewers say: read on from the log as it grows, and written to it at once.

Several may review one log at a time. Nobody waits for another: each verdict is an event, and the
latest one counts; who reviews is told what others said meanwhile.
"""

import getpass
from typing import Any

from agents.reviewing.queue import Case
from schemas import Reviewed
from schemas.review import Review
from streams.envelope import draft, events
from streams.errors import ConfigError
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.topics import REVIEWS

_LONGEST_NAME = 100


def reviewer(named: str) -> str:
    """The name that stands in the events; that of the login where none is set.

    Raises:
        ConfigError: There is none, or it can't be one.
    """
    name = (named or _login()).strip()
    if not name:
        raise ConfigError("Nobody here has a name; say who reviews with --reviewer NAME.")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigError(
            f"Reviewer {name[:_LONGEST_NAME]!r} is no name: one line, {_LONGEST_NAME} characters"
            " at most."
        )
    return name


def review(case: Case, by: str, verdict: Review, note: str = "") -> Reviewed:
    """The event of a verdict that is given here and now."""
    # Each says of when it is, and so is another event: a mind may change, and change back.
    given: dict[str, Any] = {**origin(run=case.run), "cause": case.cause}
    said = Reviewed(
        **given,
        generation=case.generation,
        phase=case.phase,
        reviewer=by,
        verdict=verdict,
        note=note,
    )
    return sealed(said)


class Reviews:
    """The reviews on a log: the last one of each generation, and that of each reviewer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._after: dict[int, int] = {}
        self._last: dict[str, Reviewed] = {}
        self._last_by: dict[tuple[str, str], Reviewed] = {}
        self.read_on()

    def read_on(self) -> None:
        """Take in what was written since, by whomever."""
        for event in events(self._store, REVIEWS.name, after=self._after):
            if isinstance(event, Reviewed):
                self._last[event.generation] = event
                self._last_by[event.generation, event.reviewer] = event

    def of(self, generation: str) -> Reviewed | None:
        """The review that counts; none where there is none, or where the last was withdrawn."""
        found = self._last.get(generation)
        return None if found is None or found.verdict == "withdrawn" else found

    def by(self, generation: str, who: str) -> Reviewed | None:
        """What this reviewer said last, a withdrawal too."""
        return self._last_by.get((generation, who))

    def say(self, *said: Reviewed) -> None:
        """Write reviews to the log; when this returns they are there."""
        self._store.append([draft(each) for each in said])
        self.read_on()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return ""
