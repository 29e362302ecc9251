"""Dedup: of equal responses in a phase one is kept, and the others name it.

Equal means equal after normalising (`agents.rules.fingerprint`). Kept is the one of the higher
score, then of the smaller id, whichever came first: when a better one comes, the one kept so far
is rejected by a further decision.
"""

import sqlite3
from typing import TYPE_CHECKING, Any

from agents.rules import better, fingerprint
from schemas import Decided, Event, Finding, Generated
from streams.envelope import events, found
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.topics import DECISIONS

if TYPE_CHECKING:
    from streams.app import App

Best = tuple[float, str, str | None]
"""Score, generation and run of the response that is kept."""


class Kept:
    """The best response of each fingerprint so far, rebuilt from the log.

    It lies in a temporary SQLite file of its own, so that memory does not grow with the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(
            "create table kept (phase, policy, fingerprint, score, generation, run,"
            " primary key (phase, policy, fingerprint)) without rowid"
        )
        self._db.execute(
            "create table done (phase, policy, generation,"
            " primary key (phase, policy, generation)) without rowid"
        )
        self._next: dict[int, int] = {}

    def read_on(self) -> None:
        """Learn what dedup has decided up to now, here or elsewhere."""
        for told in events(self._store, DECISIONS.name, after=self._next):
            self._recall(told)

    def decide(self, gated: Decided) -> list[Decided]:
        """What follows from one decision of the gate: nothing for what it rejected.

        Nothing either for a generation that has its decision: told again against later ones, it
        might name another that is kept.
        """
        if gated.step != "gate" or gated.verdict == "rejected":
            return []
        by = f"Decision {gated.id}"
        mark = fingerprint(found(self._store, gated.generation, Generated, by=by).response)
        if not self._is_new(gated):
            return []
        best = self._best(gated, mark)
        if best is None:
            self._keep(gated, mark)
            return [unique(gated, mark)]
        if not better((gated.score, gated.generation), best[:2]):
            return [duplicate(gated, mark, of=best[1])]
        self._keep(gated, mark)
        # The loser goes first: a crash between the two leaves none kept, and this one comes again.
        return [superseded(gated, mark, best), unique(gated, mark)]

    def _is_new(self, decision: Decided) -> bool:
        """Whether this generation is decided on for the first time; from now on it is not."""
        added = self._db.execute(
            "insert or ignore into done values (?, ?, ?)",
            (decision.phase, decision.policy, decision.generation),
        )
        return added.rowcount > 0

    def _best(self, decision: Decided, mark: str) -> "Best | None":
        best: Best | None = self._db.execute(
            "select score, generation, run from kept"
            " where phase = ? and policy = ? and fingerprint = ?",
            (decision.phase, decision.policy, mark),
        ).fetchone()
        return best

    def _keep(self, decision: Decided, mark: str) -> None:
        self._db.execute(
            "insert or replace into kept values (?, ?, ?, ?, ?, ?)",
            (
                decision.phase,
                decision.policy,
                mark,
                decision.score,
                decision.generation,
                decision.run,
            ),
        )

    def _recall(self, told: Event) -> None:
        if not isinstance(told, Decided) or told.step != "dedup" or not told.fingerprint:
            return
        self._is_new(told)
        best = self._best(told, told.fingerprint)
        if best is None or better((told.score, told.generation), best[:2]):
            self._keep(told, told.fingerprint)


def unique(gated: Decided, mark: str) -> Decided:
    """No better response is equal to this one."""
    return _told(gated, mark, (gated.score, gated.generation, gated.run), of=None)


def duplicate(gated: Decided, mark: str, *, of: str) -> Decided:
    """A better response is equal to this one."""
    return _told(gated, mark, (gated.score, gated.generation, gated.run), of=of)


def superseded(gated: Decided, mark: str, best: Best) -> Decided:
    """The one kept so far is a duplicate of this better one."""
    return _told(gated, mark, best, of=gated.generation)


def join(app: "App") -> None:
    """Decide on everything that the gate lets pass or holds."""
    from streams.work import work

    kept = Kept(app.store)
    known = -1

    async def handle(gated: Decided) -> list[Decided]:
        nonlocal known
        if known != app.consumer_generation_id:  # another worker may have decided meanwhile
            known = app.consumer_generation_id
            await app.look_up(kept.read_on)
        return await app.look_up(kept.decide, gated)

    @app.agent(app.records_of(DECISIONS.name), name="dedup")
    async def dedup(stream: Any) -> None:
        await work(app, stream, Decided, handle, step="dedup")


def _told(gated: Decided, mark: str, about: Best, *, of: str | None) -> Decided:
    score, generation, run = about
    reason = f"The response equals that of {of}, which is kept." if of else ""
    return sealed(
        Decided(
            **origin(gated, run=run),
            step="dedup",
            generation=generation,
            phase=gated.phase,
            policy=gated.policy,
            scorer=gated.scorer,
            score=score,
            verdict="rejected" if of else "accepted",
            findings=(Finding(rule="duplicate", reason=reason),) if of else (),
            fingerprint=mark,
            duplicate_of=of,
        )
    )
