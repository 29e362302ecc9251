"""The kernels' texts, as the runs on the log hold them: the files may have changed since."""

from schemas import Started
from streams.envelope import events
from streams.errors import MissingRecord
from streams.log.door import Store
from streams.topics import RUNS


class Kernels:
    """Looks a run's kernel up, and reads on in the log where the run is not known yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._texts: dict[str, dict[str, str]] = {}
        self._next: dict[int, int] = {}

    def named(self, run: str | None) -> dict[str, str]:
        """The run's kernel as name and text; empty for a run without one.

        Raises:
            MissingRecord: The log holds no such run.
        """
        if run not in self._texts:
            self._read_on()
        if run not in self._texts:
            raise MissingRecord(
                f'Run "{run}" is not on {self._store.place}, but its requests are.'
                " See `lem log verify`."
            )
        return self._texts[run]

    def of(self, run: str | None) -> str:
        """The text of the run's kernel.

        Raises:
            MissingRecord: The log holds no such run, or the run has no kernel.
        """
        for text in self.named(run).values():
            return text
        raise MissingRecord(f'Run "{run}" has no kernel, but its requests name one.')

    def _read_on(self) -> None:
        for started in events(self._store, RUNS.name, after=self._next):
            if isinstance(started, Started) and started.run:
                kernel = started.kernel
                self._texts[started.run] = {kernel.name: kernel.text} if kernel else {}
