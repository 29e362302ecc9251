"""Writes what rows tell to the log, in batches; what can't be used is buried with its bytes."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from agents.importing.facts import requested, run_of, scored, started
from agents.importing.file import File
from agents.importing.known import Known, Standing
from agents.importing.matching import Asked, answered, generation_of
from agents.importing.rows import Row
from agents.importing.told import Probe, Recorded, Score, Told
from schemas import Generated, Scored
from schemas.base import Fact
from streams.envelope import buried, draft, event
from streams.log.door import Store
from streams.log.records import Place, Record
from streams.origin import Origin

_AT_ONCE = 500
_BYTES = 8 * 1024 * 1024


class Counts(msgspec.Struct, kw_only=True):
    """What became of one file."""

    file: str
    format: str
    rows: int = 0

    new: int = 0
    """Events that the log did not have."""

    there: int = 0
    """Events that it had, or that the file tells twice."""

    buried: int = 0
    """Rows that can't be used; they are dead letters now, with their bytes."""

    skipped: int = 0
    """Scores whose responses are nowhere."""


class Writer:
    """Writes one file, of which no more than a batch is in memory."""

    def __init__(
        self, store: Store, known: Known, file: File, tell: Callable[[str], object]
    ) -> None:
        """Begin a file.

        Args:
            store: The log.
            known: What of it need not be looked up.
            file: Where the rows are from.
            tell: Called with a sentence for each row that can't be used.
        """
        place = str(file.source.path).encode(errors="replace").decode()
        self.counts = Counts(file=place, format=file.source.format)
        self._store = store
        self._known = known
        self._file = file
        self._phase = file.source.phase
        self._tell = tell
        self._facts: list[Fact] = []
        self._asked: list[tuple[Row, Asked]] = []
        self._rows: dict[str, Row] = {}
        self._size = 0

    def add(self, row: Row, told: Iterable[Told]) -> None:
        """Take what a row tells; it is on the log after `finish` at the latest."""
        origin = self._file.origin(row)
        for each in told:
            self._take(row, each, origin)
        self._fill(row)

    def bury(self, row: Row, why: str) -> None:
        """Put a row that can't be used aside, with its bytes, and tell of it."""
        said = f"{self.counts.file}{row.at} {why.rstrip('.')}."
        self._tell(said)
        self.counts.buried += 1
        # Its own digest keeps it apart from a row of another file, or of this one as it will be.
        mark = hashlib.sha256(row.bytes).hexdigest()[:8]
        topic = f"import:{self._file.name}@{mark}"
        record = Record(topic, 0, row.number, 0, None, row.bytes, ())
        self._facts.append(buried(record, step="import", error=said))
        self._fill(row)

    def finish(self) -> Counts:
        """Put everything that waits onto the log; what became of the file."""
        while self._facts or self._asked:
            self._flush()
        return self.counts

    def _fill(self, row: Row) -> None:
        self._size += row.size
        if len(self._facts) + len(self._asked) >= _AT_ONCE or self._size >= _BYTES:
            self._flush()

    def _flush(self) -> None:
        """Put a batch onto the log, each request behind its generation.

        A worker that meets the request then finds it answered.
        """
        answers = answered(self._store, [asked for _, asked in self._asked])
        for (row, asked), (_, generation) in zip(self._asked, answers, strict=True):
            self._facts.append(generation)
            for score in asked.recorded.scores:
                self._score(row, score, generation, asked.origin)
        facts, rows = self._facts, self._rows
        self._facts, self._asked, self._rows, self._size = [], [], {}, 0
        repeated = [*self._append(facts), *self._append([request for request, _ in answers])]
        for fact, place in repeated:
            if isinstance(fact, Scored):
                self._compare(fact, place, rows[fact.id])

    def _take(self, row: Row, told: Told, origin: Origin) -> None:
        if isinstance(told, Recorded):
            self._asked.append((row, self._ask(told, origin)))
        elif isinstance(told, Probe):
            is_there = self._stand(told, origin).new is None
            self.counts.there += is_there
        elif generation := generation_of(self._store, self._known, told, self._phase):
            self._score(row, told.score, generation, origin)
        else:
            self.counts.skipped += 1

    def _ask(self, recorded: Recorded, origin: Origin) -> Asked:
        """The request of a response; its run is begun where it is new."""
        run = run_of(recorded, self._file.name, self._phase)
        standing = self._stand(recorded.probe, origin)
        of_run = _of_run(origin, run)
        if counts := self._known.uncounted(run):
            self._facts.append(started(recorded, self._phase, of_run, *counts))
            self._known.begun(run)
        return Asked(recorded, standing, of_run, requested(recorded, standing, self._phase, of_run))

    def _stand(self, probe: Probe, origin: Origin) -> Standing:
        standing = self._known.standing(probe, self._file.stem, origin)
        if standing.new:
            self._known.keep(standing.new)
            self._facts.append(standing.new)
        return standing

    def _score(self, row: Row, score: Score, generation: Generated, origin: Origin) -> None:
        fact = scored(score, generation, origin)
        self._facts.append(fact)
        self._rows[fact.id] = row

    def _append(self, facts: Sequence[Fact]) -> Iterator[tuple[Fact, Place]]:
        """Append the facts; yields those that the log had already, and where."""
        for start in range(0, len(facts), _AT_ONCE):
            part = facts[start : start + _AT_ONCE]
            places = self._store.append([draft(fact) for fact in part])
            there = [pair for pair in zip(part, places, strict=True) if not pair[1].is_new]
            self.counts.new += len(part) - len(there)
            self.counts.there += len(there)
            yield from there

    def _compare(self, score: Scored, place: Place, row: Row) -> None:
        """Bury the row of a score that the log has otherwise: it keeps the first."""
        topic, partition, offset, _ = place
        (record,) = self._store.read(topic, partition, offset=offset, limit=1)
        there = event(record)
        if isinstance(there, Scored) and there.score != score.score:
            said = f"has the score {score.score} by {score.scorer}, but the log has {there.score}"
            self.bury(row, f"{said} for generation {score.generation[:8]}, which stays")


def _of_run(origin: Origin, run: str) -> Origin:
    return Origin(at=origin["at"], by=origin["by"], run=run, cause=None)
