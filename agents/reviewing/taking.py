"""Taking in a sheet of verdicts: which rows become reviews, and what is wrong with the others.

A row that says what its reviewer said last of that generation is known, so that a sheet taken in
twice adds nothing. One that says otherwise is a changed mind.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from agents.reviewing.queue import Case, named
from agents.reviewing.saying import Reviews, review, reviewer
from agents.reviewing.sheet import Bad, Row
from schemas import Reviewed
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.replay import Views


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a sheet comes to."""

    reviews: list[Reviewed]
    """To be written."""

    known: int
    """Rows that say what the log says."""

    bad: list[Bad]
    """In the order of the lines."""

    told: list[tuple[int, str]]
    """By line: reviews that change what another reviewer said, or that change nothing."""


def taken(views: "Views", reviews: Reviews, rows: Iterable[Row | Bad], by: str) -> Taken:
    """Hold the rows of a sheet against the log.

    Args:
        views: To find the generations in.
        reviews: What was said so far.
        rows: The sheet's.
        by: Who reviewed, where a row names nobody.
    """
    every = list(rows)
    asked = sorted({row.generation for row in every if isinstance(row, Row)})
    cases = {case.generation: case for case in named(views, asked)}
    found = Taken(reviews=[], known=0, bad=[], told=[])
    first: dict[tuple[str, str], Row] = {}
    known = 0
    for row in every:
        try:
            if isinstance(row, Bad):
                found.bad.append(row)
            elif not _take(found, first, cases, reviews, row, by):
                known += 1
        except ConfigError as error:
            found.bad.append(Bad(row.line, str(error)))
    return msgspec.structs.replace(found, known=known)


def _take(
    found: Taken,
    first: dict[tuple[str, str], Row],
    cases: dict[str, Case],
    reviews: Reviews,
    row: Row,
    by: str,
) -> bool:
    """Whether the row is a review that the log has not.

    Raises:
        ConfigError: It can't be used.
    """
    who = reviewer(row.reviewer or by)
    if not (case := cases.get(row.generation)):
        raise ConfigError(f"no generation {row.generation} is on this log.")
    same = first.setdefault((row.generation, who), row)
    if (same.verdict, same.note) != (row.verdict, row.note):
        raise ConfigError(f"line {same.line} says otherwise of it, by the same reviewer.")
    if same is not row or _is_known(reviews, row, who):
        return False
    if row.verdict == "withdrawn":
        _check_withdrawal(reviews, row, who)
    found.reviews.append(review(case, who, row.verdict, row.note))
    found.told.extend((row.line, said) for said in _consequences(reviews, case, row, who))
    return True


def _is_known(reviews: Reviews, row: Row, who: str) -> bool:
    last = reviews.by(row.generation, who)
    return last is not None and (last.verdict, last.note) == (row.verdict, row.note)


def _check_withdrawal(reviews: Reviews, row: Row, who: str) -> None:
    if not reviews.stands(row.generation, who):
        raise ConfigError(f"{who} has nothing to withdraw on it.")


def _consequences(reviews: Reviews, case: Case, row: Row, who: str) -> list[str]:
    told = []
    last = reviews.of(row.generation)
    if row.verdict == "withdrawn":
        if last and last.reviewer != who:
            told.append(f"{row.generation[:8]} stays {last.verdict} by {last.reviewer}.")
    elif last and (last.reviewer, last.verdict) != (who, row.verdict):
        whose = "before" if last.reviewer == who else f"by {last.reviewer}"
        told.append(f"{row.generation[:8]} was {last.verdict} {whose}; {row.verdict} counts now.")
    if is_overruled(case) and row.verdict == "accepted":
        told.append(f"{row.generation[:8]} stays out: {case.rule} refused it.")
    return told


def is_overruled(case: Case) -> bool:
    """Whether gate or dedup refused it, which no reviewer can change."""
    return case.verdict == "rejected" and case.rule != "review"
