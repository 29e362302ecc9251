"""Of a crowd of similar texts each is compared with few, and a trial remembers one row of each."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import pytest

from agents.compare import similar
from agents.group import Group, Response, _Entry
from agents.rules import fingerprint
from agents.shingles import jaccard
from streams.duplicate import Duplicate
from streams.replay import Views

NEAR = Duplicate(similarity=0.8)
COUNT = 400


def crowd() -> list[str]:
    """Any two are similar: of 250 words each has one that is its own."""
    words = [f"w{number}" for number in range(250)]
    return [" ".join([*words[: n % 250], f"own{n}", *words[n % 250 :]]) for n in range(COUNT)]


def scores(order: str) -> Sequence[float]:
    rising = [float(number) for number in range(COUNT)]
    mixed = random.Random(1).sample(rising, COUNT)
    return {"rising": rising, "falling": rising[::-1], "mixed": mixed}[order]


@pytest.mark.parametrize("order", ["rising", "falling", "mixed"])
def test_of_each_few_others_are_looked_at(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            nonlocal looked
            looked += 1
            return real(*given)

        return call

    monkeypatch.setattr("agents.alike.jaccard", counted(jaccard))
    monkeypatch.setattr("agents.group._Entry", counted(_Entry))
    group = Group(NEAR)
    rejected: set[str] = set()
    texts = crowd()
    for number, (text, score) in enumerate(zip(texts, scores(order), strict=True)):
        (sketch,) = group.sketches([text])
        one = Response(f"{number:04}", score, None)
        losers, winner = group.place(one, fingerprint(text), sketch)
        rejected |= {loser.response.generation for loser in losers}
        rejected |= {one.generation} if winner else set()
    group.close()

    assert len(rejected) == COUNT - 1
    assert looked < 6 * COUNT


def test_a_trial_remembers_for_each_the_best_that_is_better() -> None:
    db = duckdb.connect()
    texts, given = crowd(), scores("mixed")
    db.execute("create table generations (id varchar, response varchar)")
    db.execute("create table paired (generation varchar, a double, b double)")
    db.execute("create table looked (phase varchar, generation varchar, mark varchar)")
    db.execute("alter table looked add rules_a varchar[] default []")
    db.execute("alter table looked add rules_b varchar[] default []")
    for number, (text, score) in enumerate(zip(texts, given, strict=True)):
        db.execute("insert into generations values (?, ?)", [f"{number:04}", text])
        db.execute("insert into paired values (?, ?, ?)", [f"{number:04}", score, -score])
        db.execute(
            "insert into looked (phase, generation, mark) values ('1', ?, ?)",
            [f"{number:04}", f"m{number:04}"],
        )
    views = Views(db, {})
    similar.begin(views)
    for side in "ab":
        similar.add(views, "1", side, NEAR)
    found = {side: dict(_rows(db, side)) for side in "ab"}
    db.close()

    best = f"m{given.index(max(given)):04}"
    worst = f"m{given.index(min(given)):04}"
    assert set(found["a"].values()) == {best}
    assert set(found["b"].values()) == {worst}
    assert [len(found["a"]), len(found["b"])] == [COUNT - 1, COUNT - 1]


def _rows(db: duckdb.DuckDBPyConnection, side: str) -> list[tuple[str, str]]:
    rows = db.execute("select mark, other from alike where side = ? order by mark", [side])
    found: list[tuple[str, str]] = rows.fetchall()
    assert all(one[0] < other[0] for one, other in pairwise(found))  # of each mark one row
    return found
