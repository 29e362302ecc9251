"""What reviewers say: read on from the log as it grows, and written to it at once.

Several may review one log at a time. Nobody waits for another: each verdict is an event, and the
latest one that its reviewer has not withdrawn counts; who reviews is told what others said
meanwhile.
"""

import getpass
from collections import defaultdict
from typing import Any

from agents.reviewing.opinions import counting
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
    """The reviews on a log: the one of each generation that counts, and each reviewer's last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._after: dict[int, int] = {}
        self._said: defaultdict[str, list[Reviewed]] = defaultdict(list)
        self.read_on()

    def read_on(self) -> None:
        """Take in what was written since, by whomever."""
        for event in events(self._store, REVIEWS.name, after=self._after):
            if isinstance(event, Reviewed):
                self._said[event.generation].append(event)

    def of(self, generation: str) -> Reviewed | None:
        """The review that counts; none where there is none, or where all were withdrawn."""
        return counting(self._said.get(generation, ()))

    def by(self, generation: str, who: str) -> Reviewed | None:
        """What this reviewer said last, a withdrawal too."""
        said = reversed(self._said.get(generation, ()))
        return next((each for each in said if each.reviewer == who), None)

    def stands(self, generation: str, who: str) -> bool:
        """Whether this reviewer has said something of it, and not withdrawn it."""
        last = self.by(generation, who)
        return last is not None and last.verdict != "withdrawn"

    def say(self, *said: Reviewed) -> None:
        """Write reviews to the log; when this returns they are there."""
        self._store.append([draft(each) for each in said])
        self.read_on()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return ""
