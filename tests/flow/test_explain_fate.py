"""`lem explain` of a generation: its scores, and what would have let it in."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import Check, Decided, Finding, Generated, Refused, Scored
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.ids import digest
from streams.lineage import Lineage
from streams.log.store import EmbeddedStore
from tests.events import decided, deduped, generated, materialized, probed, put, requested, scored
from tests.flow.test_explain import found, run, said
from tests.lem import PROJECT


@pytest.fixture
def phase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phase:
    """The demo phase with every rule in use."""
    text = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    text["phases"]["demo"]["gate"] |= {
        "threshold": 20.0,
        "words": [3, 9],
        "best": 1,
        "duplicate": {"words": 2, "similarity": 0.5},
    }
    path = tmp_path / "curriculum.yaml"
    path.write_text(yaml.safe_dump(text))
    monkeypatch.setenv("LEM_CURRICULUM", str(path))
    return load(path).phase("demo")


def answered(
    phase: Phase, name: str = "P1", *, sample: int = 0, score: float = 25.0, **fields: Any
) -> tuple[Generated, Scored, Decided]:
    """An answer, its score, and the gate's acceptance."""
    text = f"However, it depends on {name} {sample}."
    asked = requested(probed(name), phase=phase.name, sample=sample)
    answer = generated(asked, response=text)
    told = scored(answer, score, scorer=phase.gate.scorer)
    return answer, told, decided(told, policy=phase.policy, **fields)


def rejected(rule: str, reason: str) -> dict[str, Any]:
    return {"verdict": "rejected", "findings": (Finding(rule=rule, reason=reason),)}


def test_every_rule_that_failed_is_told_with_its_remedy(store: EmbeddedStore, phase: Phase) -> None:
    answer, told, _ = answered(phase, score=12.5)
    findings = tuple(Finding(rule=rule, reason=f"Bad {rule}.") for rule in ("threshold", "words"))
    gate = decided(told, "rejected", policy=phase.policy, findings=findings)
    put(store, answer, told, gate)

    assert said(answer) == (
        "Rejected (threshold: Bad threshold.; words: Bad words.). It passes at a threshold of 12.5"
        " or less, and passes where 6 words are allowed. It is in no dataset."
    )
    assert [each["rule"] for each in found(answer)["dataset"]["findings"]] == ["threshold", "words"]


def test_scores_are_told_with_the_words_that_fired(store: EmbeddedStore, phase: Phase) -> None:
    from agents.score import scored as really
    from agents.scorers import scorer

    answer, _, _ = answered(phase)
    (real,) = really([answer], scorer("lek@2"))
    put(store, answer, real)

    (score,) = found(answer)["dataset"]["scores"]
    assert score["score"] == real.score
    assert score["fired"]["nuance"] == {"However": 1, "it depends": 1}
    assert "nuance 2 (However, it depends)" in run(answer)


def test_what_was_kept_instead_is_followed_to_its_end(store: EmbeddedStore, phase: Phase) -> None:
    one, two, three = (answered(phase, f"P{n}", score=21.0 + n) for n in range(3))
    put(store, *one, *two, *three)
    put(store, deduped(one[2], two[0], similarity=0.75), deduped(two[2], three[0], similarity=1.0))
    put(store, deduped(three[2]))

    story = found(one[0])["dataset"]
    assert story["kept"] == [two[0].id, three[0].id]
    assert f"In the end {three[0].id[:8]} is kept." in said(one[0])
    assert "It passes where `duplicate.similarity` is above 0.750." in said(one[0])
    assert "only another text passes" in said(two[0])


def test_of_two_that_two_workers_kept_the_worse_is_no_row(
    store: EmbeddedStore, phase: Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only on a broker can two workers be at it at once; here the log says that it is one."""
    best, worse = answered(phase, "P1", score=40.0), answered(phase, "P2", score=30.0)
    for answer, told, gate in (best, worse):
        put(store, answer, told, gate, deduped(gate, fingerprint=digest("same")))
    assert said(worse[0]).startswith("Accepted")

    monkeypatch.setattr(EmbeddedStore, "is_shared", True)

    assert said(worse[0]).startswith(
        f"Rejected (duplicate: The response equals that of {best[0].id}"
    )
    assert "only another text passes" in said(worse[0])
    assert found(worse[0])["dataset"]["kept"] == [best[0].id]
    assert said(best[0]).startswith("Accepted with the score 40.")


def test_who_lost_best_of_many_is_told_by_how_much(store: EmbeddedStore, phase: Phase) -> None:
    rows = [answered(phase, sample=n, score=25.0 - 0.3 * n) for n in range(3)]
    for row in rows:
        put(store, *row, deduped(row[2]))
    best = rows[0][0]

    assert said(rows[1][0]) == (
        f"Rejected (best: Lost best-of-3 by 0.3 to {best.id[:8]}.). It passes where `best` is 2 or"
        " more. It is in no dataset."
    )
    assert "passes where `best` is 3 or more" in said(rows[2][0])
    assert said(best).startswith("Accepted with the score 25.")


def test_a_dataset_that_left_it_out_says_why(store: EmbeddedStore, phase: Phase) -> None:
    answer, told, gate = answered(phase)
    reason = "The prompt equals held-out probe C1."
    refused = Refused(generation=answer.id, rule="contamination", reason=reason)
    check = Check(name="contamination", over="1 prompts", digest="0" * 64, rows=1)
    made = materialized(phase=phase.name, refused=(refused,), checks=(check,))
    put(store, answer, told, gate, deduped(gate), made)

    assert f"Dataset {made.id[:8]} left it out (contamination: {reason})" in said(answer)
    assert "It is in no dataset." in said(answer)


def test_the_index_reads_on_and_is_made_again_for_another_log(
    store: EmbeddedStore, settings: Settings, phase: Phase
) -> None:
    home = settings.home_path
    answer, told, gate = answered(phase)
    put(store, answer, told)
    index = Lineage(store, home)
    index.read_on()
    assert [each.topic for each in index.effects(answer.id)] == ["scores"]
    put(store, gate)
    index.read_on()
    index.read_on()
    assert [each.topic for each in index.effects(answer.id)] == ["scores", "decisions"]
    assert [each.topic for each in index.effects(told.id)] == ["decisions"]
    index.close()

    other = EmbeddedStore(home / "other.db")
    for topic in ("generations", "scores", "decisions", "reviews"):
        other.declare(topic, 1)
    strange, its, _ = answered(phase, "P9")
    put(other, strange, its)
    index = Lineage(other, home)  # beside the same home: the file there is of the first log
    index.read_on()  # where the first log had decisions, this one has none
    assert index.effects(answer.id) == []
    assert [each.topic for each in index.effects(strange.id)] == ["scores"]
    index.close()
    other.close()


def test_an_unreadable_record_is_passed_over(
    store: EmbeddedStore, settings: Settings, phase: Phase
) -> None:
    answer, told, _ = answered(phase)
    put(store, answer, told)
    from streams.log.records import Draft

    bad = b'{"type": "scored", "generation": "%s", "id": "x"}' % answer.id.encode()
    store.append([Draft(topic="scores", key=b"k", value=bad, headers=(), event_id=None)])
    index = Lineage(store, settings.home_path)
    index.read_on()

    assert len(index.effects(answer.id)) == 1
    index.close()
