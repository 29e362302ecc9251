"""Best of a probe: which admitted generations are kept, whatever order they came in."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import Generated
from schemas.base import Fact
from streams.config import Settings
from streams.log.store import EmbeddedStore
from streams.replay import Policy, opened
from streams.topics import TOPICS
from tests.events import (
    POLICY,
    SCORER,
    decided,
    deduped,
    generated,
    probed,
    put,
    requested,
    reviewed,
    scored,
    started,
)

SCORES = (30.0, 30.5, 25.0, 30.5, 29.7)


def answers(probe: str, scores: tuple[float, ...] = SCORES) -> list[Generated]:
    asked = probed(probe, prompt=f"What of {probe}?")
    return [
        generated(requested(asked, sample=at), response=f"{probe} {at}")
        for at in range(len(scores))
    ]


def gates(found: list[Generated], verdict: str = "accepted") -> list[Any]:
    rule = "review" if verdict == "held" else ""
    pairs = zip(found, SCORES, strict=True)
    return [decided(scored(each, score), verdict, rule=rule) for each, score in pairs]


def passed(found: list[Generated], verdict: str = "accepted") -> list[Fact]:
    decisions = gates(found, verdict)
    return [started(), *found, *decisions, *map(deduped, decisions)]


def verdicts(home: Path, events: list[Fact], best: int | None) -> dict[str, dict[str, Any]]:
    store = EmbeddedStore(Settings(home=str(home)).log_path)
    try:
        for topic in TOPICS:
            store.declare(topic, 1)
        put(store, *events)
        with opened(store, home, [Policy("1", POLICY, SCORER, 20.0, best)]) as views:
            return {row["generation"]: row for row in views.rows("select * from verdicts")}
    finally:
        store.close()


def kept(rows: dict[str, dict[str, Any]]) -> set[str]:
    return {generation for generation, row in rows.items() if row["verdict"] == "accepted"}


def test_without_a_number_all_are_kept(tmp_path: Path) -> None:
    rows = verdicts(tmp_path, passed(answers("A")), None)

    assert len(kept(rows)) == 5


def test_the_best_by_score_then_by_id_are_kept_and_the_others_say_by_how_much(
    tmp_path: Path,
) -> None:
    found = answers("A")
    first, second = sorted((found[1].id, found[3].id))

    rows = verdicts(tmp_path, passed(found), 1)

    assert kept(rows) == {first}
    assert {row["rule"] for row in rows.values()} == {None, "best"}
    assert rows[second]["reason"] == f"Lost best-of-5 by its id to {first[:8]}."
    assert rows[found[0].id]["reason"] == f"Lost best-of-5 by 0.5 to {first[:8]}."
    assert rows[found[4].id]["reason"] == f"Lost best-of-5 by 0.8 to {first[:8]}."
    assert rows[found[2].id]["verdict"] == "rejected"


def test_each_probe_keeps_its_own_and_the_last_that_is_kept_is_told(tmp_path: Path) -> None:
    one, other = answers("A"), answers("B")

    rows = verdicts(tmp_path, [*passed(one), *passed(other)], 3)

    assert kept(rows) == {each[at].id for each in (one, other) for at in (0, 1, 3)}
    assert rows[other[4].id]["reason"] == f"Lost best-of-5 by 0.3 to {other[0].id[:8]}."


def test_one_that_waits_for_a_person_displaces_when_it_is_accepted(tmp_path: Path) -> None:
    found = answers("A")
    held = gates(found, "held")
    waiting = [started(), *found, *held, *map(deduped, held)]

    none = verdicts(tmp_path / "none", waiting, 1)
    one = verdicts(tmp_path / "one", [*waiting, reviewed(held[2])], 1)
    two = verdicts(tmp_path / "two", [*waiting, *map(reviewed, (held[2], held[4]))], 1)

    assert kept(none) == set()
    assert {row["verdict"] for row in none.values()} == {"held"}
    assert kept(one) == {found[2].id}
    assert kept(two) == {found[4].id}
    assert two[found[2].id]["reason"] == f"Lost best-of-5 by 4.7 to {found[4].id[:8]}."


def test_other_views_leave_out_what_is_not_among_the_best(tmp_path: Path) -> None:
    store = EmbeddedStore(Settings(home=str(tmp_path)).log_path)
    for topic in TOPICS:
        store.declare(topic, 1)
    put(store, *passed(answers("A")))
    with opened(store, tmp_path, [Policy("1", POLICY, SCORER, 20.0, 2)]) as views:
        counted = views.rows("select count(*) as n from admitted")
        rejected = views.rows("select rule, generations from rejections")
        duplicates = views.rows("from duplicates")
    store.close()

    assert counted == [{"n": 2}]
    assert rejected == [{"rule": "best", "generations": 3}]
    assert duplicates == []


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orders")


@settings(deadline=None, max_examples=10)
@given(events=st.permutations([*passed(answers("A")), *passed(answers("B"))]))
def test_the_choice_does_not_depend_on_the_order_of_the_log(
    homes: Path, events: list[Fact]
) -> None:
    number = len(list(homes.iterdir()))

    rows = verdicts(homes / str(number), events, 1)

    assert {row["rule"] for row in rows.values()} == {None, "best"}
    assert kept(rows) == {min(each[1].id, each[3].id) for each in (answers("A"), answers("B"))}
