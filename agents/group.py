"""Group: the responses of one phase and policy, and which of them are duplicates of which.

A response is one exactly if there is a better one (`agents.rules.better`) that is similar to it.
The better one need not be kept itself, so what came first makes no difference, and what was
rejected stays so.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from agents.bands import Bands
from agents.rules import better
from streams.duplicate import Duplicate

if TYPE_CHECKING:
    from agents.alike import Alike
    from agents.shingles import Sketch


class Response(NamedTuple):
    """A generation as the gate let it pass."""

    generation: str
    score: float
    run: str | None


class Match(NamedTuple):
    """Another response, and how similar it is."""

    response: Response
    similarity: float
    mark: str
    """The fingerprint of its text."""


class _Entry(NamedTuple):
    """The best of all responses with one text."""

    mark: str
    number: int | None
    """That of its text in `Alike`."""

    response: Response
    stands: bool
    """Whether it is no duplicate so far."""


_SCHEMA = """
pragma journal_mode = off;  -- nothing is ever rolled back, and nobody else reads it
pragma synchronous = off;
pragma locking_mode = exclusive;
pragma cache_size = -65536;
create table texts (
  mark primary key, number, stands, generation, score, run
) without rowid;
create unique index numbers on texts (number) where number is not null;
create table done (generation primary key) without rowid;
begin"""
_EQUAL = "select * from texts where mark = ?"
_NUMBERED = "select * from texts where number in (select value from json_each(?))"


class Group:
    """What is known of a group; in a temporary database, so that memory grows little with it."""

    def __init__(self, duplicate: Duplicate) -> None:
        self._words = duplicate.words
        self._alike = _alike(duplicate)
        self._standing: Bands[int] = Bands()
        self._fallen: Bands[tuple[float, str, int]] = Bands()  # by rank, then number
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Forget everything."""
        self._db.close()
        if self._alike:
            self._alike.close()

    @property
    def reads_texts(self) -> bool:
        """Whether more than a fingerprint is compared."""
        return self._alike is not None

    def is_new(self, generation: str) -> bool:
        """Whether it comes for the first time; from now on it does not."""
        added = self._db.execute("insert or ignore into done values (?)", (generation,))
        return added.rowcount > 0

    def sketches(self, texts: Sequence[str | None]) -> "Sequence[Sketch | None]":
        """What `place` compares of texts, none of one not known: quicker for many together."""
        if self._alike is None:
            return [None] * len(texts)
        from agents.shingles import sketches

        drawn = iter(sketches([text for text in texts if text is not None], self._words))
        return [None if text is None else next(drawn) for text in texts]

    def reject(self, generation: str, mark: str) -> None:
        """Learn that this generation is a duplicate, as was decided elsewhere."""
        entry = self._equal(mark)
        if entry and entry.stands and entry.response.generation == generation:
            self._fell(entry)

    def place(
        self, one: Response, mark: str, sketch: "Sketch | None", *, stands: bool = True
    ) -> tuple[list[Match], Match | None]:
        """Take a response up.

        Args:
            one: The response.
            mark: The fingerprint of its text.
            sketch: Of its text; none where that is not known, or not compared.
            stands: Whether it is not known to be a duplicate.

        Returns:
            Those that are duplicates of it and were not so far; and one that it is a duplicate of,
            if there is any: the best of those that stand, rather than of those that do not.
        """
        equal = self._equal(mark)
        is_over = equal is not None and _is_better(equal.response, one)
        if equal and equal.stands and is_over:
            return [], Match(equal.response, 1.0, mark)  # the best of all, being no duplicate
        rivals = {each.mark: each for each in self._standing_near(sketch)}
        if equal and equal.stands:
            rivals[mark] = equal
        ordered = sorted(rivals.values(), key=lambda entry: _rank(entry.response))
        over = [each for each in ordered if _is_better(each.response, one)]
        winner = next(self._matches(over, mark, sketch), None)
        if equal and is_over:
            winner = winner or Match(equal.response, 1.0, mark)
        winner = winner or self._fallen_over(one, sketch)
        losers = list(self._matches(ordered[len(over) :], mark, sketch))
        for loser in losers:
            self.reject(loser.response.generation, loser.mark)
        if not is_over:
            self._write(mark, equal, one, sketch, stands=stands and not winner)
        return losers, winner

    def _equal(self, mark: str) -> _Entry | None:
        return next(self._entries(_EQUAL, mark), None)

    def _standing_near(self, sketch: "Sketch | None") -> Iterator[_Entry]:
        """Those that stand and may be similar."""
        numbers = [*self._standing.near(sketch.bands)] if sketch else []
        return self._entries(_NUMBERED, json.dumps(numbers)) if numbers else iter(())

    def _fallen_over(self, one: Response, sketch: "Sketch | None") -> Match | None:
        """The best one that is better and similar, of those that do not stand.

        They may be many, and are in order: they are only looked at as far as must be.
        """
        if self._alike is None or sketch is None:
            return None
        rank = _rank(one)
        over = takewhile(lambda key: key[:2] < rank, self._fallen.near(sketch.bands))
        for _, _, number in over:
            if (similarity := self._alike.similarity(sketch, number)) is not None:
                (entry,) = self._entries(_NUMBERED, json.dumps([number]))
                return Match(entry.response, similarity, entry.mark)
        return None

    def _matches(
        self, entries: Iterable[_Entry], mark: str, sketch: "Sketch | None"
    ) -> Iterator[Match]:
        for entry in entries:
            if (similarity := self._similarity(entry, mark, sketch)) is not None:
                yield Match(entry.response, similarity, entry.mark)

    def _similarity(self, entry: _Entry, mark: str, sketch: "Sketch | None") -> float | None:
        if entry.mark == mark:
            return 1.0
        assert self._alike
        assert sketch
        assert entry.number is not None
        return self._alike.similarity(sketch, entry.number)

    def _entries(self, query: str, value: str) -> Iterator[_Entry]:
        for mark, number, stands, *response in self._db.execute(query, (value,)):
            yield _Entry(mark, number, Response(*response), bool(stands))

    def _fell(self, entry: _Entry) -> None:
        """Take one that stood for a duplicate."""
        self._db.execute("update texts set stands = false where mark = ?", (entry.mark,))
        if self._alike and entry.number is not None:
            bands = self._alike.bands(entry.number)
            self._standing.drop(bands, entry.number)
            self._fallen.add(bands, (*_rank(entry.response), entry.number))

    def _write(
        self,
        mark: str,
        worse: _Entry | None,
        best: Response,
        sketch: "Sketch | None",
        *,
        stands: bool,
    ) -> None:
        """Take up the best of its text, in the place of one that does not stand."""
        number = self._number(worse, sketch)
        if self._alike and number is not None:
            bands = sketch.bands if sketch else self._alike.bands(number)
            if stands:
                self._standing.add(bands, number)
            else:
                self._fallen.add(bands, (*_rank(best), number))
        row = (mark, number, stands, *best)
        self._db.execute("insert or replace into texts values (?, ?, ?, ?, ?, ?)", row)

    def _number(self, worse: _Entry | None, sketch: "Sketch | None") -> int | None:
        """That of a text, which for now neither stands nor not; none where it is not known."""
        if self._alike and worse and worse.number is not None:
            bands = self._alike.bands(worse.number)
            self._fallen.drop(bands, (*_rank(worse.response), worse.number))
            return worse.number
        return self._alike.add(sketch) if self._alike and sketch else None


def _rank(response: Response) -> tuple[float, str]:
    """The order of `better`: the best one is the least."""
    return -response.score, response.generation


def _is_better(one: Response, other: Response) -> bool:
    return better((one.score, one.generation), (other.score, other.generation))


def _alike(duplicate: Duplicate) -> "Alike | None":
    if duplicate.similarity is None:
        return None
    from agents.alike import Alike  # which brings NumPy along

    return Alike(duplicate.similarity)
