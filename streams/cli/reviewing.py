"""A session of `lem review` in the terminal: one generation at a time, a key for each verdict.

Each verdict is on the log when the next generation is shown. Before one is shown, and before a
verdict is written, the log is read on, so that what another reviewer said meanwhile is told.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from agents.reviewing.saying import Reviews, review
from schemas import Generated, Reviewed
from streams.cli.card import HELP, card
from streams.cli.keys import END, Keys
from streams.cli.shown import harmless
from streams.envelope import found
from streams.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from agents.reviewing.queue import Case
    from agents.scorers import Hit
    from streams.log.door import Store


class _Step(NamedTuple):
    """What was done last, to be undone."""

    at: int
    said: Reviewed | None
    """None where it was skipped."""


class Session:
    """One reviewer at one terminal."""

    def __init__(
        self, store: "Store", cases: "Sequence[Case]", by: str, *, screen: "Console", keys: Keys
    ) -> None:
        self._store, self._cases, self._by = store, cases, by
        self._screen, self._keys = screen, keys
        self._reviews = Reviews(store)
        # What is on hold has no review that counts; another one may have one already.
        self._known = {
            case.generation: None if case.verdict == "held" else self._last(case) for case in cases
        }
        self._at = self._page = 0
        self._note = self._told = self._warned = ""
        self._has_left = False
        self._done: list[_Step] = []

    @property
    def said(self) -> list[Reviewed]:
        """The verdicts of this session that were not undone."""
        return [step.said for step in self._done if step.said]

    def run(self) -> None:
        """Go from one to the next until the reviewer leaves."""
        while not self._has_left:
            if self._at == len(self._cases):
                self._end()
            elif self._is_taken():
                self._next(None)
            else:
                self._open()

    def _open(self) -> None:
        """Show one generation until it is done with."""
        generated = found(self._store, self._case.generation, Generated, by="The review")
        hits = _hits(self._case.scorer, generated.response)
        self._keys.forget()
        at = self._at
        while self._at == at and not self._has_left:
            self._show(generated, hits)

    def _end(self) -> None:
        """Behind the last one it is not too late to undo."""
        self._screen.clear()
        self._screen.print(harmless(self._told), style="yellow", markup=False)
        self._screen.print(f"That was all: {self._place()}.  u undo  q quit", markup=False)
        self._told = ""
        if (key := self._keys.next()) in {"u", "U"}:
            self._undo()
        elif key in {"q", "Q", "\n", END}:
            self._leave()

    def _show(self, generated: Generated, hits: "Sequence[Hit]") -> None:
        """Draw it, wait for a key and obey that."""
        laid = card(self._screen, self._case, generated, hits, self._note)
        last = laid.pages(self._screen.height) - 1
        self._page = max(0, min(self._page, last))
        laid.show(self._screen, self._page, place=self._place(), told=self._told)
        self._told = ""
        self._obey(self._keys.next(), last)

    def _obey(self, key: str, last_page: int) -> None:
        deeds: dict[str, Callable[[], None]] = {
            **dict.fromkeys("aA", lambda: self._say("accepted")),
            **dict.fromkeys("rR", lambda: self._say("rejected")),
            **dict.fromkeys("sS", lambda: self._next(_Step(self._at, None))),
            **dict.fromkeys("uU", self._undo),
            **dict.fromkeys("nN", self._write),
            **dict.fromkeys(" \n\r", lambda: self._turn(1, last_page)),
            **dict.fromkeys("bB", lambda: self._turn(-1, last_page)),
            **dict.fromkeys("?hH", self._help),
            **dict.fromkeys(f"qQ{END}", self._leave),
        }
        deeds.get(key, self._wonder)()

    def _wonder(self) -> None:
        self._told = "No such key; ? lists them."

    def _write(self) -> None:
        self._note = self._keys.line("\nNote: ", self._note)

    def _leave(self) -> None:
        self._has_left = True

    def _say(self, verdict: Literal["accepted", "rejected"]) -> None:
        if (other := self._meanwhile()) and other.id != self._warned:
            self._warned = other.id
            self._told = f"{_who(other)} while you read; press again if yours is to count."
            return
        said = review(self._case, self._by, verdict, self._note)
        self._reviews.say(said)
        self._next(_Step(self._at, said))
        self._told = f"{verdict.capitalize()} {said.generation[:8]}; u takes it back."

    def _undo(self) -> None:
        if not self._done:
            self._told = "There is nothing to undo in this session."
            return
        step = self._done.pop()
        if step.said and not self._is_withdrawn(step.said):
            return
        self._go(step.at)
        self._note = step.said.note if step.said else ""

    def _is_withdrawn(self, said: Reviewed) -> bool:
        """Take a verdict back, unless another one counts by now."""
        self._reviews.read_on()
        last = self._reviews.of(said.generation)
        if last is None or last.id != said.id:
            told = _who(last) if last else "It was withdrawn"
            self._told = f"{told} since, and that counts; nothing is taken back."
            return False
        case = next(each for each in self._cases if each.generation == said.generation)
        self._reviews.say(review(case, self._by, "withdrawn"))
        self._told = f"Taken back: you had {said.verdict} it."
        if left := self._known_now(case):
            self._told += f" {_who(left)}, and that counts."
        return True

    def _is_taken(self) -> bool:
        """Whether another has reviewed it since the session began; it is then passed over."""
        if not (other := self._meanwhile()):
            return False
        over = f"{self._case.generation[:8]} is passed over: {_who(other)} meanwhile."
        self._told = f"{over} {self._told}"
        return True

    def _meanwhile(self) -> Reviewed | None:
        """A review that counts and was not there when this one was chosen, nor written here."""
        self._reviews.read_on()
        other, known = self._last(self._case), self._known[self._case.generation]
        ours = {step.said.id for step in self._done if step.said} | {known.id if known else ""}
        return other if other and other.id not in ours else None

    def _turn(self, pages: int, last_page: int) -> None:
        self._page += pages
        if not 0 <= self._page <= last_page:
            self._told = "That was all of it." if pages > 0 else "This is the beginning."

    def _next(self, step: _Step | None) -> None:
        if step:
            self._done.append(step)
        told = self._told
        self._go(self._at + 1)
        self._told = told

    def _go(self, at: int) -> None:
        self._at, self._page, self._note, self._warned = at, 0, "", ""

    def _help(self) -> None:
        self._screen.clear()
        self._screen.print(HELP, markup=False)
        if self._keys.next() == END:
            self._leave()

    def _place(self) -> str:
        at = min(self._at + 1, len(self._cases))
        return f"{at} of {len(self._cases)}, {len(self.said)} said by {self._by}"

    @property
    def _case(self) -> "Case":
        return self._cases[self._at]

    def _known_now(self, case: "Case") -> Reviewed | None:
        """The review that counts, which from now on is none of meanwhile."""
        self._known[case.generation] = self._last(case)
        return self._known[case.generation]

    def _last(self, case: "Case") -> Reviewed | None:
        return self._reviews.of(case.generation)


def _hits(scorer: str | None, response: str) -> "Sequence[Hit]":
    """Where the gate's scorer fired; nowhere for one that has no places, or is not here."""
    from agents.scorers import scorer as named

    with suppress(ConfigError):
        if scorer and (where := named(scorer).hits):
            return where(response)
    return ()


def _who(said: Reviewed) -> str:
    note = f" ({said.note})" if said.note else ""
    return f"{said.reviewer} {said.verdict} it{note}"
