"""What an import must know of the log, and of itself: probes by id, runs by what they count.

Both may outgrow the memory, and lie in a temporary SQLite file.
"""

import sqlite3
from typing import NamedTuple

from agents.importing.told import Probe
from agents.rephrasings import SUFFIXES
from agents.seeding import probes
from schemas import Probed
from streams.ids import digest, sealed
from streams.log.door import Store
from streams.origin import Origin

_TABLES = """
    pragma journal_mode = off; pragma cache_size = -65536;
    create table probes (probe text primary key, prompt text, original text, event text)
      without rowid;
    create table runs (run text primary key, requests integer, samples integer) without rowid;
    begin;
"""


class Standing(NamedTuple):
    """A probe as the log has it, or is about to."""

    probe: str
    original: str
    event: str
    """The id of its event."""

    new: Probed | None = None
    """The event, where the log lacks it."""


class Known:
    """The probes of a log and of an import, and the runs of the file at hand."""

    def __init__(self, store: Store) -> None:
        """Learn every probe that is on the log."""
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        for probed in probes(store):
            self.keep(probed)

    def close(self) -> None:
        """Let the temporary file go."""
        self._db.close()

    def keep(self, probed: Probed) -> None:
        """From now on this id belongs to this prompt."""
        row = (probed.probe, digest(probed.prompt), probed.original, probed.id)
        self._db.execute("insert or ignore into probes values (?, ?, ?, ?)", row)

    def standing(self, probe: Probe, stem: str, origin: Origin) -> Standing:
        """The probe under its own id, or under one of its own where that is taken.

        Args:
            probe: As a file has it.
            stem: The set that a new one belongs to.
            origin: Of the new one.
        """
        mark = digest(probe.prompt)
        for name in _names(probe, mark):
            if (found := self._found(name)) is None:
                new = _probed(probe, name, stem, origin)
                return Standing(name, new.original, new.id, new)
            prompt, original, event = found
            if prompt == mark:
                return Standing(name, original, event)
        raise AssertionError("the last name holds the whole digest of the prompt")

    def event_of(self, probe: str) -> str | None:
        """The id of the event of the probe of this very id."""
        found = self._found(probe)
        return found[2] if found else None

    def count(self, run: str, sample: int) -> None:
        """One more request of a run."""
        self._db.execute(
            "insert into runs values (?, 1, ?) on conflict do update"
            " set requests = requests + 1, samples = max(samples, excluded.samples)",
            (run, sample + 1),
        )

    def uncounted(self, run: str) -> tuple[int, int] | None:
        """How many requests and samples a run has, when it is asked for the first time."""
        found = self._db.execute("select requests, samples from runs where run = ?", (run,))
        counts: tuple[int, int] | None = found.fetchone()
        return counts

    def begun(self, run: str) -> None:
        """The run's event is made."""
        self._db.execute("delete from runs where run = ?", (run,))

    def forget_runs(self) -> None:
        """The next file counts anew."""
        self._db.execute("delete from runs")

    def _found(self, probe: str) -> tuple[str, str, str] | None:
        query = "select prompt, original, event from probes where probe = ?"
        found: tuple[str, str, str] | None = self._db.execute(query, (probe,)).fetchone()
        return found


def _names(probe: Probe, mark: str) -> tuple[str, ...]:
    """The ids that a probe may have, the first free one or its own; the last is nobody else's."""
    if probe.id is None:
        return f"prompt-{mark[:12]}", f"prompt-{mark}"
    # The rephrase agent gives such an id to a rephrasing of its own.
    first = () if probe.id.endswith(SUFFIXES) else (probe.id,)
    return (*first, f"{probe.id}_{mark[:8]}", f"{probe.id}_{mark}")


def _probed(probe: Probe, name: str, stem: str, origin: Origin) -> Probed:
    return sealed(
        Probed(
            **origin,
            probe=name,
            prompt=probe.prompt,
            domain=probe.domain,
            set=stem,
            language=probe.language,
            rephrasing_of=probe.rephrasing_of,
            kind=probe.kind,
            voice=probe.voice,
            region=probe.region,
        )
    )
