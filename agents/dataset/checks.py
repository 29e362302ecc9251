"""What every row is held against before a dataset is written; the next check goes in here too."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agents.kernels import Kernels
from agents.leaks import Leaks
from schemas import Check
from streams.curriculum import Phase
from streams.errors import LogError
from streams.ids import digest
from streams.log.door import Store

Columns = Mapping[str, Sequence[Any]]
"""Some rows, column by column."""


class Looking(Protocol):
    """A check under way."""

    def refuse(self, rows: Columns) -> None:
        """Look at some rows.

        Raises:
            LogError: One of them may not be in a dataset.
        """

    def told(self) -> Check:
        """What was looked at, for the manifest."""


def checks(store: Store, phase: Phase) -> list[Looking]:
    """Every check of a phase's rows."""
    return [KernelLeak(store, phase)]


class KernelLeak:
    """No response repeats what its run's prompts were surrounded by."""

    def __init__(self, store: Store, phase: Phase) -> None:
        self._kernels = Kernels(store)
        self._least = phase.gate.leak_words
        self._texts: dict[str, dict[str, str]] = {}
        self._leaks: dict[str, Leaks] = {}
        self._rows = 0

    def refuse(self, rows: Columns) -> None:
        """Look at the responses, those of each run for its kernel."""
        self._rows += len(rows["run"])
        places: dict[str, list[int]] = {}
        for at, run in enumerate(rows["run"]):
            places.setdefault(run, []).append(at)
        for run, own in places.items():
            for number, said in self._of(run).found([rows["response"][at] for at in own]):
                self._refuse(rows["generation"][own[number]], run, said)

    def told(self) -> Check:
        """The kernels that were looked for."""
        every = sorted({kernel for texts in self._texts.values() for kernel in texts.items()})
        names = ", ".join(dict.fromkeys(name for name, _ in every)) or "no kernel: no run had one"
        return Check(
            name="kernel_leak",
            over=f"{self._least} words in a row of {names}",
            digest=digest([self._least, every]),
            rows=self._rows,
        )

    def _of(self, run: str) -> Leaks:
        if run not in self._leaks:
            self._texts[run] = self._kernels.named(run)
            self._leaks[run] = Leaks(self._texts[run].values(), self._least)
        return self._leaks[run]

    def _refuse(self, generation: str, run: str, said: str) -> None:
        names = " or ".join(self._texts[run])
        raise LogError(
            f'Generation {generation} was accepted, but repeats kernel {names}: "{said}".'
            f" No dataset was written; see `lem explain {generation[:8]}`."
        )
