"""What every row is held against before a dataset is written; the next check goes in here too.

The gate has looked at the same. Between the two a check may have become stricter, or a probe have
been held out that was not on the log then: such a row is left out, told, and costs no other.

What is told goes into the manifest and onto the card, so that it quotes neither a kernel nor a
held-out prompt: published there, they would be trained on after all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from agents.contamination import HeldOut, Overlap
from agents.kernels import Kernels
from agents.suspects import Leaks
from schemas import Check, Refused
from streams.curriculum import Phase
from streams.ids import digest
from streams.log.door import Store

if TYPE_CHECKING:
    from streams.replay import Views

Columns = Mapping[str, Sequence[Any]]
"""Some rows, column by column."""


class Looking(Protocol):
    """A check under way."""

    def refused(self, rows: Columns) -> Iterator[Refused]:
        """The generations among some rows that may not be in a dataset."""

    def told(self) -> Check:
        """What was looked at, for the manifest."""


def checks(store: Store, views: "Views", phase: Phase) -> list[Looking]:
    """Every check of a phase's rows, by the log as the views have it."""
    return [KernelLeak(store, phase), Contamination(views, phase)]


class KernelLeak:
    """No response repeats what its run's prompts were surrounded by."""

    def __init__(self, store: Store, phase: Phase) -> None:
        self._kernels = Kernels(store)
        self._least = phase.gate.leak_words
        self._texts: dict[str, dict[str, str]] = {}
        self._leaks: dict[str, Leaks] = {}
        self._rows = 0

    def refused(self, rows: Columns) -> Iterator[Refused]:
        """Look at the responses, those of each run for its kernel."""
        self._rows += len(rows["run"])
        places: dict[str, list[int]] = {}
        for at, run in enumerate(rows["run"]):
            places.setdefault(run, []).append(at)
        for run, own in places.items():
            for number, said in self._of(run).found([rows["response"][at] for at in own]):
                names = " or ".join(self._texts[run])
                yield Refused(
                    generation=rows["generation"][own[number]],
                    rule="kernel_leak",
                    reason=f"The response repeats {len(said.split())} words of kernel {names}.",
                )

    def told(self) -> Check:
        """The kernels that were looked for."""
        every = sorted({kernel for texts in self._texts.values() for kernel in texts.items()})
        names = ", ".join(dict.fromkeys(name for name, _ in every)) or "no kernel: no run had one"
        return Check(
            name="kernel_leak",
            over=f"sentences and {self._least} words in a row of {names}",
            digest=digest([self._least, every]),
            rows=self._rows,
        )

    def _of(self, run: str) -> Leaks:
        if run not in self._leaks:
            self._texts[run] = self._kernels.named(run)
            self._leaks[run] = Leaks(self._texts[run].values(), self._least)
        return self._leaks[run]


_HELD_OUT = """
select distinct probe, prompt from probes
where list_contains($sets, "set")
or rephrasing_of in (select probe from probes where list_contains($sets, "set"))"""


class Contamination:
    """No prompt and no response overlaps with a probe that is held out for measuring."""

    def __init__(self, views: "Views", phase: Phase) -> None:
        found = views.db.execute(_HELD_OUT, {"sets": list(phase.held_out)}).fetchall()
        self._sets = ", ".join(phase.held_out) or "none"
        self._held_out = HeldOut(found)
        self._prompts: dict[str, str | None] = {}
        self._rows = 0

    def refused(self, rows: Columns) -> Iterator[Refused]:
        """Look at both; of a prompt that comes again, once."""
        self._rows += len(rows["generation"])
        if not self._held_out.count:
            return
        texts = zip(rows["generation"], rows["prompt"], rows["response"], strict=True)
        for generation, prompt, response in texts:
            if said := self._of(prompt) or self._reason(response, of="response"):
                yield Refused(generation=generation, rule="contamination", reason=said)

    def told(self) -> Check:
        """The probes that were looked for."""
        return Check(
            name="contamination",
            over=f"{self._held_out.count:,} prompts of the held-out sets: {self._sets}",
            digest=self._held_out.digest,
            rows=self._rows,
        )

    def _of(self, prompt: str) -> str | None:
        if prompt not in self._prompts:
            self._prompts[prompt] = self._reason(prompt, of="prompt")
        return self._prompts[prompt]

    def _reason(self, text: str, *, of: str) -> str | None:
        found = self._held_out.overlap(text, of=of)
        return f"The {of} {_how(found)} held-out probe {found.probe}." if found else None


def _how(found: Overlap) -> str:
    match found.how:
        case "equal":
            return "equals"
        case "words":
            return "shares words in a row with"
        case "similar":
            return "is similar to"
