"""What two workers decided in the same moment, each unaware of the other, is told apart."""

from streams.config import Settings
from streams.ids import digest
from streams.log.store import EmbeddedStore
from streams.replay import Policy, opened
from tests.events import POLICY, SCORER, decided, deduped, generated, put, requested, scored


def test_of_two_that_two_workers_kept_the_better_one_is_admitted(
    store: EmbeddedStore, settings: Settings
) -> None:
    answers = [generated(requested(sample=number)) for number in range(3)]
    scores = [scored(answer, score) for answer, score in zip(answers, (30, 40, 20), strict=True)]
    gates = [decided(score) for score in scores]
    put(store, *answers, *gates, *(deduped(gate, fingerprint=digest("same")) for gate in gates))

    with opened(store, settings.home_path, [Policy("1", POLICY, SCORER, 24.0)]) as found:
        rows = {row["generation"]: row for row in found.rows("select * from verdicts")}

    worse, best, worst = (rows[answer.id] for answer in answers)
    assert (best["verdict"], best["duplicate_of"]) == ("accepted", None)
    for row in (worse, worst):
        assert (row["verdict"], row["dedup_verdict"]) == ("rejected", "rejected")
        assert (row["rule"], row["duplicate_of"]) == ("duplicate", answers[1].id)
        assert answers[1].id in row["reason"]


def test_what_one_worker_rejected_stays_so_when_another_accepted_it_later(
    store: EmbeddedStore, settings: Settings
) -> None:
    worse, best = (generated(requested(sample=number)) for number in range(2))
    gates = [decided(scored(worse, 30)), decided(scored(best, 40))]
    mark = digest("worse")
    left_out = deduped(gates[0], best, fingerprint=mark, similarity=0.9)
    put(store, worse, best, *gates, left_out, *map(deduped, gates))

    with opened(store, settings.home_path, [Policy("1", POLICY, SCORER, 24.0)]) as found:
        rows = {row["generation"]: row for row in found.rows("select * from verdicts")}
        (duplicate,) = found.rows("select generation, kept, similarity from duplicates")

    assert rows[best.id]["verdict"] == "accepted"
    assert (rows[worse.id]["verdict"], rows[worse.id]["duplicate_of"]) == ("rejected", best.id)
    assert duplicate == {"generation": worse.id, "kept": best.id, "similarity": 0.9}
