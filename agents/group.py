"""Group: the responses of one phase and policy, and which of them are duplicates of which.

A response is one exactly if there is a better one (`agents.rules.better`) that is similar to it.
The better one need not be kept itself, so what came first makes no difference, and what was
rejected stays so.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

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
        self._db.execute(
            "update texts set stands = false where mark = ? and generation = ?",
            (mark, generation),
        )

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
            Those that are duplicates of it and were not so far; and the best one that it is a
            duplicate of.
        """
        equal = self._entries(_EQUAL, mark)
        if equal and equal[0].stands and _is_better(equal[0].response, one):
            return [], Match(
                equal[0].response, 1.0, mark
            )  # it is no duplicate, and so the best of all
        rivals = {entry.mark: entry for entry in (*equal, *self._candidates(sketch))}
        ordered = sorted(rivals.values(), key=lambda entry: _rank(entry.response))
        over = [each for each in ordered if _is_better(each.response, one)]
        under = [each for each in ordered[len(over) :] if each.stands]
        winner = next(self._matches(over, mark, sketch), None)
        losers = list(self._matches(under, mark, sketch))
        for loser in losers:
            self.reject(loser.response.generation, loser.mark)
        if not equal:
            number = self._alike.add(sketch) if self._alike and sketch else None
            self._write(mark, number, one, stands=stands and not winner)
        elif not over or equal[0] not in over:
            self._write(mark, equal[0].number, one, stands=stands and not winner)
        return losers, winner

    def _candidates(self, sketch: "Sketch | None") -> list[_Entry]:
        """The entries that may be similar."""
        if self._alike is None or sketch is None:
            return []
        numbers = self._alike.candidates(sketch)
        return self._entries(_NUMBERED, json.dumps([*numbers])) if numbers else []

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

    def _entries(self, query: str, value: str) -> list[_Entry]:
        return [
            _Entry(mark, number, Response(*response), bool(stands))
            for mark, number, stands, *response in self._db.execute(query, (value,))
        ]

    def _write(self, mark: str, number: int | None, best: Response, *, stands: bool) -> None:
        self._db.execute(
            "insert or replace into texts values (?, ?, ?, ?, ?, ?)",
            (mark, number, stands, *best),
        )


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
