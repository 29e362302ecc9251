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
