"""The kernels' texts, as the runs on the log hold them: the files may have changed since."""

from streams.envelope import event
from streams.errors import LogError, UnreadableRecord
from streams.log.store import Store
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
            LogError: The log holds no such run.
        """
        if run not in self._texts:
            self._read_on()
        if run not in self._texts:
            raise LogError(
                f'Run "{run}" is not on {self._store.path}, but its requests are.'
                " See `lem log verify`."
            )
        return self._texts[run]

    def of(self, run: str | None) -> str:
        """The text of the run's kernel.

        Raises:
            LogError: The log holds no such run, or the run has no kernel.
        """
        for text in self.named(run).values():
            return text
        raise LogError(f'Run "{run}" has no kernel, but its requests name one.')

    def _read_on(self) -> None:
        for partition in range(self._store.topics()[RUNS.name]):
            first = self._next.get(partition, 0)
            for record in self._store.scan(RUNS.name, partition, offset=first):
                self._next[partition] = record.offset + 1
                try:
                    started = event(record)
                except UnreadableRecord:  # buried by whoever reads the topic; shown by verify
                    continue
                if started.run:
                    kernel = getattr(started, "kernel", None)
                    self._texts[started.run] = {kernel.name: kernel.text} if kernel else {}
