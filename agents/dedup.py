"""Dedup: of similar responses in a phase the best stays, and the others name a better one.

How similar is too similar is the phase's (`streams.duplicate`); which of two is better
follows from score, then id, whichever came first. When a better one comes, those that it is
similar to are rejected by further decisions. No decision is ever taken back.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.group import Group, Match, Response
from agents.rules import mark, normalised
from schemas import Decided, Finding, Generated
from streams.curriculum import Curriculum
from streams.envelope import events, found
from streams.errors import UnreadableRecord
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.topics import DECISIONS

if TYPE_CHECKING:
    from streams.app import App

_AT_ONCE = 500
"""Texts in memory."""


class Passed(NamedTuple):
    """What the gate let pass or holds: as much of its decision as dedup's repeats."""

    cause: str | None
    """The gate's decision."""

    run: str | None
    generation: str
    phase: str
    policy: str
    scorer: str
    score: float

    @property
    def key(self) -> tuple[str, str]:
        """Of its group."""
        return self.phase, self.policy

    @property
    def response(self) -> Response:
        """The response, as it is compared."""
        return Response(self.generation, self.score, self.run)


class Known(NamedTuple):
    """What dedup decided before."""

    passed: Passed
    mark: str
    stands: bool


class Kept:
    """The responses so far of each phase and policy of now, rebuilt from the log."""

    def __init__(self, store: Store, curriculum: Curriculum) -> None:
        self._store = store
        self._groups = {
            (phase.name, phase.policy): Group(phase.gate.duplicate)
            for phase in curriculum.phases.values()
        }
        self._next: dict[int, int] = {}

    def close(self) -> None:
        """Forget everything."""
        for group in self._groups.values():
            group.close()

    def read_on(self) -> list[Decided]:
        """Learn what dedup has decided up to now, here or elsewhere.

        Returns:
            What follows where two workers decided at once, each unaware of the other.
        """
        told: dict[tuple[str, str], Known] = {}
        for event in events(self._store, DECISIONS.name, after=self._next):
            if isinstance(event, Decided) and event.step == "dedup" and event.fingerprint:
                self._recall(event, event.fingerprint, told)
        known = iter(told.values())
        return [
            said
            for part in iter(lambda: list(islice(known, _AT_ONCE)), [])
            for said in self._learn(part)
        ]

    def decide(self, gated: Decided) -> list[Decided]:
        """What follows from one decision of the gate: nothing for what it rejected.

        Nothing either for a generation that has its decision; nor under a policy that is not in
        force, whose bounds are not known: `agents.settle` decides when it is again.
        """
        one = passed(gated, cause=gated.id)
        if gated.step != "gate" or gated.verdict == "rejected" or one.key not in self._groups:
            return []
        text = found(self._store, gated.generation, Generated, by=f"Decision {gated.id}").response
        return self.decide_all([(one, text)])

    def decide_all(self, given: Sequence[tuple[Passed, str]]) -> list[Decided]:
        """The same for many, with their texts."""
        fresh = [each for each in given if self._groups[each[0].key].is_new(each[0].generation)]
        texts = [normalised(text) for _, text in fresh]
        known = [
            Known(one, mark(text), stands=True) for (one, _), text in zip(fresh, texts, strict=True)
        ]
        return [
            said
            for each, losers, winner in self._placed(known, texts)
            for said in (*_rejected(each, losers), _told(each, winner))
        ]

    def _recall(self, event: Decided, text_mark: str, told: dict[tuple[str, str], Known]) -> None:
        one = passed(event, cause=event.cause)
        if (group := self._groups.get(one.key)) is None:
            return
        is_rejected, spot = event.verdict == "rejected", (one.policy, one.generation)
        if group.is_new(one.generation) or (is_rejected and spot in told):
            told[spot] = Known(one, text_mark, stands=not is_rejected)
        elif is_rejected:
            group.reject(one.generation, text_mark)

    def _learn(self, known: Sequence[Known]) -> Iterator[Decided]:
        """Take up what was decided; says what is still to be said."""
        for each, losers, winner in self._placed(known, [self._text(k.passed) for k in known]):
            yield from _rejected(each, losers)
            if winner and each.stands:
                yield _told(each, winner)

    def _placed(
        self, known: Sequence[Known], texts: Sequence[str | None]
    ) -> Iterator[tuple[Known, list[Match], Match | None]]:
        """Each with those that are duplicates of it, and the best that it is a duplicate of."""
        numbers: dict[tuple[str, str], list[int]] = {}
        for number, each in enumerate(known):
            numbers.setdefault(each.passed.key, []).append(number)
        for key, those in numbers.items():
            group = self._groups[key]
            sketches = group.sketches([texts[number] for number in those])
            for number, sketch in zip(those, sketches, strict=True):
                one, text_mark, stands = known[number]
                yield known[number], *group.place(one.response, text_mark, sketch, stands=stands)

    def _text(self, one: Passed) -> str | None:
        """None where it is not compared, or can't be read: the fingerprint has to do then."""
        if not self._groups[one.key].reads_texts:
            return None
        with suppress(UnreadableRecord):  # verify tells of it
            by = f"Decision {one.cause}"
            return normalised(found(self._store, one.generation, Generated, by=by).response)
        return None


def passed(decided: Decided, *, cause: str | None) -> Passed:
    """What a decision is about."""
    return Passed(
        cause,
        decided.run,
        decided.generation,
        decided.phase,
        decided.policy,
        decided.scorer,
        decided.score,
    )


def join(app: "App") -> None:
    """Decide on everything that the gate lets pass or holds."""
    from streams.work import work

    kept = Kept(app.store, app.curriculum)
    app.closing.append(kept.close)
    known = -1

    async def handle(gated: Decided) -> list[Decided]:
        nonlocal known
        late: list[Decided] = []
        if known != app.consumer_generation_id:  # another worker may have decided meanwhile
            known = app.consumer_generation_id
            late = await app.look_up(kept.read_on)
        return [*late, *await app.look_up(kept.decide, gated)]

    @app.agent(app.records_of(DECISIONS.name), name="dedup")
    async def dedup(stream: Any) -> None:
        await work(app, stream, Decided, handle, step="dedup")


def _rejected(better: Known, losers: Iterable[Match]) -> Iterator[Decided]:
    """That these are duplicates of a better one.

    They are told before its own decision: after a crash between the two it comes again.
    """
    for loser in losers:
        generation, score, run = loser.response
        one = better.passed._replace(generation=generation, score=score, run=run)
        winner = Match(better.passed.response, loser.similarity, better.mark)
        yield _told(Known(one, loser.mark, stands=True), winner)


def _told(known: Known, winner: Match | None) -> Decided:
    one, of = known.passed, winner.response.generation if winner else None
    findings = (Finding(rule="duplicate", reason=_reason(known, winner)),) if winner else ()
    return sealed(
        Decided(
            **(origin(run=one.run) | {"cause": one.cause}),
            step="dedup",
            generation=one.generation,
            phase=one.phase,
            policy=one.policy,
            scorer=one.scorer,
            score=one.score,
            verdict="rejected" if winner else "accepted",
            findings=findings,
            fingerprint=known.mark,
            duplicate_of=of,
            similarity=winner.similarity if winner else None,
        )
    )


def _reason(known: Known, winner: Match) -> str:
    of = winner.response.generation
    if winner.mark == known.mark:
        return f"The response equals that of {of}, which is better."
    return f"The response is {winner.similarity:.3f} similar to that of {of}, which is better."
