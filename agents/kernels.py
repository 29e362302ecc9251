"""The kernels of runs, as the log holds them: the files may have changed since."""

from agents.asking import texts
from schemas import Kernel, Started
from streams.envelope import events
from streams.errors import MissingRecord
from streams.log.door import Store
from streams.topics import RUNS


class Kernels:
    """Looks a run's kernel up, and reads on in the log where the run is not known yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, Kernel | None] = {}
        self._next: dict[int, int] = {}

    def named(self, run: str | None) -> dict[str, str]:
        """All texts that the run's prompts are surrounded by, by name; empty where there are none.

        Raises:
            MissingRecord: The log holds no such run.
        """
        return texts(self._kernel(run))

    def of(self, run: str | None) -> Kernel:
        """The run's kernel.

        Raises:
            MissingRecord: The log holds no such run, or the run has no kernel.
        """
        if found := self._kernel(run):
            return found
        raise MissingRecord(f'Run "{run}" has no kernel, but its requests name one.')

    def _kernel(self, run: str | None) -> Kernel | None:
        if run not in self._found:
            self._read_on()
        if run not in self._found:
            raise MissingRecord(
                f'Run "{run}" is not on {self._store.place}, but its requests are.'
                " See `lem log verify`."
            )
        return self._found[run]

    def _read_on(self) -> None:
        for started in events(self._store, RUNS.name, after=self._next):
            if isinstance(started, Started) and started.run:
                self._found[started.run] = started.kernel
