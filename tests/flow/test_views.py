"""Every view over one log with every kind of fate in it: its key is unique, no row is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams import views
from streams.config import Settings
from streams.ids import digest
from streams.log.records import Draft
from streams.log.store import EmbeddedStore
from streams.replay import Policy, opened
from streams.topics import TOPICS, Topic
from tests.events import KERNEL, MODEL, OTHER, PLAIN_RUN, POLICY, RUN, SCORER, World, put

POLICIES = [Policy("1", POLICY, SCORER, 24.0), Policy("2", digest("two"), OTHER, None)]

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]


WORLD = World()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    home: Path = tmp_path_factory.mktemp("home")
    store = EmbeddedStore(Settings(home=str(home)).log_path)
    for topic in TOPICS:
        store.declare(topic, 2)
    put(store, *WORLD.events)
    store.append([Draft("probes", b"{")])
    with opened(store, home, POLICIES) as found:

        def asked(query: str) -> list[Row]:
            done = found.db.execute(query)
            names = [column[0] for column in done.description or ()]
            return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

        yield asked
    store.close()


def one(ask: Ask, view: str, name: str) -> Row | None:
    """The row of a generation in a view, if there is one."""
    found = ask(f"select * from {view} where generation = '{WORLD.named[name].id}'")
    assert len(found) <= 1
    return found[0] if found else None


def called(ask: Ask, view: str) -> set[str]:
    """The generations of a view, by their names here."""
    names = {generation.id: name for name, generation in WORLD.named.items()}
    return {names[row["generation"]] for row in ask(f"select generation from {view}")}


KEYS = {
    **{views.name_of(topic): "id" for topic in TOPICS},
    "unreadable": 'topic, "partition", "offset"',
    "lineage": "id",
    "opinions": "generation, reviewer",
    "scored_generations": "generation, scorer",
    "verdicts": "generation",
    "admitted": "generation",
    "rejected": "generation",
    "held": "generation",
    "duplicates": "generation",
    "rejections": "phase, rule",
    "progress": "run",
    "leaderboard": "model, kernel, scorer",
    "probe_effects": "probe, model, scorer, kernel",
    "kernel_effect": "model, scorer, kernel",
    "regressions": "probe, model, scorer, kernel",
    "scorer_differences": "generation, scorer, other_scorer",
    "dataset_rows": 'dataset, "row"',
    "doubts": "generation",
    "asked_probes": "phase, probe",
}


def test_every_view_has_its_key_told_here() -> None:
    assert list(KEYS) == [view.name for view in views.load()]


@pytest.mark.parametrize("view", views.load(), ids=lambda view: view.name)
def test_a_file_begins_with_what_one_row_is(view: views.View) -> None:
    assert view.select.startswith(f"-- {view.about}.\n")
    assert view.about.startswith("One row per ")
    assert ";" not in view.select.partition("\n")[2]


@pytest.mark.parametrize(("view", "key"), KEYS.items())
def test_one_row_per_key(ask: Ask, view: str, key: str) -> None:
    twice = ask(f"select {key} from {view} group by {key} having count(*) > 1")
    (counted,) = ask(f"select count(*) as n from {view}")

    assert twice == []
    assert counted["n"] > 0


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_a_topics_view_has_every_event_of_its_kind(ask: Ask, topic: Topic) -> None:
    told = {event.id for event in WORLD.events if isinstance(event, topic.event)}

    assert {row["id"] for row in ask(f"select id from {views.name_of(topic.name)}")} == told


def test_lineage_has_every_event_with_its_kind_and_cause(ask: Ask) -> None:
    told = {
        (event.id, event.__struct_config__.tag, event.run, event.cause) for event in WORLD.events
    }
    rows = ask("select * from lineage")

    assert {(row["id"], row["type"], row["run"], row["cause"]) for row in rows} == told
    assert {row["topic"] for row in rows} >= {"probes", "dead-letters"}


VERDICTS = {
    "accepted": ("accepted", None, None),
    "best": ("accepted", None, None),
    "approved": ("accepted", None, None),
    "low": ("rejected", "threshold", "It is threshold."),
    "duplicate": ("rejected", "duplicate", f"The same text as {WORLD.named['accepted'].id[:8]}."),
    "chained": ("rejected", "duplicate", f"The same text as {WORLD.named['duplicate'].id[:8]}."),
    "displaced": ("rejected", "duplicate", f"The same text as {WORLD.named['best'].id[:8]}."),
    "refused": ("rejected", "review", "No."),
    "withdrawn": ("rejected", "review", "Ada rejected it."),
    "held": ("held", "review", "It is review."),
    "undeduped": ("pending", None, None),
    "old": ("pending", None, None),
    "with": ("pending", None, None),
    "without": ("pending", None, None),
    "failed": ("pending", None, None),
    "unscored": ("pending", None, None),
}


@pytest.mark.parametrize(("name", "expected"), VERDICTS.items())
def test_a_verdict_follows_from_gate_dedup_and_review(
    ask: Ask, name: str, expected: tuple[str, str | None, str | None]
) -> None:
    row = one(ask, "verdicts", name)

    assert row
    assert (row["verdict"], row["rule"], row["reason"]) == expected


def test_every_generation_of_a_phase_with_a_policy_has_a_verdict(ask: Ask) -> None:
    assert called(ask, "verdicts") == WORLD.named.keys() - {"strange"} == VERDICTS.keys()


def test_a_verdict_names_what_was_kept_only_where_that_decided(ask: Ask) -> None:
    found = ask("select generation, duplicate_of from verdicts where duplicate_of is not null")
    kept = {
        WORLD.named[left].id: WORLD.named[for_it].id
        for left, for_it in (
            ("duplicate", "accepted"),
            ("chained", "duplicate"),
            ("displaced", "best"),
        )
    }

    assert {row["generation"]: row["duplicate_of"] for row in found} == kept


@pytest.mark.parametrize(
    ("view", "verdict"), [("admitted", "accepted"), ("rejected", "rejected"), ("held", "held")]
)
def test_a_verdicts_view_has_all_of_it_and_nothing_else(ask: Ask, view: str, verdict: str) -> None:
    expected = {name for name, (said, *_) in VERDICTS.items() if said == verdict}

    assert called(ask, view) == expected


def test_what_is_admitted_comes_with_its_text(ask: Ask) -> None:
    row, generation = one(ask, "admitted", "best"), WORLD.named["best"]

    assert row == {
        "generation": generation.id,
        "run": RUN,
        "phase": "1",
        "probe": "best",
        "original": "best",
        "prompt": generation.prompt,
        "response": generation.response,
        "model": MODEL,
        "sample": 0,
        "score": 40.0,
        "policy": POLICY,
        "voice": None,
        "region": None,
    }


def test_a_duplicate_names_the_one_that_is_kept_in_the_end(ask: Ask) -> None:
    """`chained` was left out for `duplicate`, which was then left out itself."""
    kept = {name: one(ask, "duplicates", name) for name in called(ask, "duplicates")}
    named = {generation.id: name for name, generation in WORLD.named.items()}

    assert {name: named[row["kept"]] for name, row in kept.items() if row} == {
        "duplicate": "accepted",
        "chained": "accepted",
        "displaced": "best",
    }


def test_rejections_count_every_rejected_generation_once(ask: Ask) -> None:
    found = ask("select phase, rule, generations from rejections order by rule")

    assert [tuple(row.values()) for row in found] == [
        ("1", "duplicate", 3),
        ("1", "review", 2),
        ("1", "threshold", 1),
    ]


def test_progress_counts_every_step_of_a_run(ask: Ask) -> None:
    with_kernel, plain = sorted(ask("select * from progress"), key=lambda row: -row["requests"])
    counts = ("requests", "generated", "failed", "scored", "gated", "decided")
    fates = ("accepted", "held", "rejected")

    assert (with_kernel["run"], with_kernel["phase"], with_kernel["model"]) == (RUN, "1", MODEL)
    assert [with_kernel[name] for name in counts] == [16, 16, 1, 14, 11, 10]
    assert [with_kernel[name] for name in fates] == [3, 1, 6]
    assert plain["run"] == PLAIN_RUN
    assert [plain[name] for name in counts + fates] == [1, 1, 0, 1, 0, 0, 0, 0, 0]


def test_the_leaderboard_has_means_with_and_without_the_failed(ask: Ask) -> None:
    found = {(row["kernel"], row["scorer"]): row for row in ask("select * from leaderboard")}
    by_gate = found[KERNEL, SCORER]
    scores = [*[30.0] * 9, 40.0, 3.0, 10.0, 30.0]

    assert found.keys() == {(kernel, by) for kernel in (KERNEL, None) for by in (SCORER, OTHER)}
    assert (by_gate["generations"], by_gate["scored"], by_gate["failed"]) == (16, 14, 1)
    assert by_gate["mean_ok"] == pytest.approx(sum(scores) / 13)
    assert by_gate["mean"] == pytest.approx(sum(scores) / 14)
    assert by_gate["ok_share"] == pytest.approx(15 / 16)
    assert found[None, OTHER]["mean"] == 6.0


def test_the_kernels_effect_is_told_over_probes_asked_both_ways(ask: Ask) -> None:
    found = {row["scorer"]: row for row in ask("select * from kernel_effect")}

    assert {by: (row["probes"], row["delta"]) for by, row in found.items()} == {
        SCORER: (1, -2.0),
        OTHER: (1, -1.0),
    }
    assert (found[SCORER]["mean_with"], found[SCORER]["mean_without"]) == (10.0, 12.0)


def test_a_probe_that_does_worse_with_the_kernel_is_a_regression(ask: Ask) -> None:
    found = ask("select probe, kernel, scorer, delta from regressions order by delta")

    assert [tuple(row.values()) for row in found] == [
        ("P", KERNEL, SCORER, -2.0),
        ("P", KERNEL, OTHER, -1.0),
    ]


def test_two_scorers_differ_on_what_both_scored(ask: Ask) -> None:
    found = one(ask, "scorer_differences", "with")

    assert called(ask, "scorer_differences") == {"with", "without"}
    assert found
    assert (found["scorer"], found["score"]) == (OTHER, 5.0)
    assert (found["other_scorer"], found["other_score"], found["delta"]) == (SCORER, 10.0, 5.0)


def test_without_a_policy_nothing_is_judged_and_no_run_is_lost(
    tmp_path: Path, store: EmbeddedStore
) -> None:
    put(store, *WORLD.events)
    with opened(store, tmp_path) as found:
        judged = found.db.execute("select count(*) from verdicts").fetchall()
        runs = found.db.execute(
            "select run, generated, decided from progress order by 1"
        ).fetchall()

    assert judged == [(0,)]
    assert runs == [(PLAIN_RUN, 1, 0), (RUN, 16, 0)]


def test_a_datasets_row_is_told_with_its_probe(ask: Ask) -> None:
    (row,) = ask('select "row", generation, probe, domain, kernel from dataset_rows')

    assert row == {
        "row": 1,
        "generation": WORLD.named["accepted"].id,
        "probe": "accepted",
        "domain": "ethics",
        "kernel": KERNEL,
    }
