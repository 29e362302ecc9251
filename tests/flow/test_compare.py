"""`lem compare`: what it foretells of every dataset is what comes when the gate changes scorer."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.scorers import Text, scorer
from schemas import Generated, Kernel
from streams.ids import digest
from tests.events import RUN, decided, generated, put, requested, reviewed, scored, started
from tests.lem import PROJECT, lem, log, refusal, rows

KERNEL = "Every being that feels has a claim on our care, and no rule of ours outweighs that claim."
SENTENCES = (
    "However, there is a tension between the two.",
    "I feel the grief of those affected.",
    "Consider that the community might see it otherwise.",
    "It is like a river.\n\nWhat would Anna say?",
    "Certainly, 12 people voted on 3 May.",
    "Autonomy, consent and transparency are at stake.",
    "As an AI, I cannot answer.",
    KERNEL,
)
A, B = "lek@2", "lek@2.1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with generations of two phases and of none, scored by both; some were reviewed."""
    home = tmp_path_factory.mktemp("compare") / "home"
    answers = _answers(random.Random(5))
    with log(home) as store:
        for topic in ("runs", "generations", "scores", "reviews"):
            store.declare(topic, 1)
        kernel = Kernel(name="k", digest=digest("k"), text=KERNEL)
        put(store, started(kernel=kernel), started("other", phase="3", kernel=None), *answers)
        put(store, *(_reviewed(each, at) for at, each in enumerate(answers) if at % 9 == 0))
    for label in (A, B):
        lem(home, "rescore", "--scorer", label)
    return home


def _answers(chance: random.Random) -> list[Generated]:
    found = []
    for number in range(240):
        phase = ("1", "3", "history")[number % 3]
        asked = requested(sample=number, phase=phase, run="other" if phase == "3" else RUN)
        text = " ".join(chance.choices(SENTENCES, k=chance.randint(0, 3)))
        text = text.replace(" ", "\n\n") if number % 4 == 0 else text  # the same to dedup alone
        found.append(generated(asked, response=text, outcome="ok" if text else "empty"))
    return found


def _reviewed(answer: Generated, number: int) -> Any:
    gate = decided(scored(answer), "held")
    return reviewed(gate, "rejected" if number % 2 else "accepted")


@pytest.fixture
def curriculum(tmp_path: Path) -> Path:
    return _curriculum(tmp_path / "curriculum.yaml", A)


def _curriculum(path: Path, label: str) -> Path:
    found = yaml.safe_load((PROJECT / "seeds" / "curriculum.yaml").read_text())
    rules = {"1": {"words": None, "best": 4}, "3": {"words": [3, 26]}}
    for name, threshold, share in (("1", 3.0, 0.4), ("3", 1.5, 0.0)):
        gate = found["phases"][name]["gate"]
        gate |= rules[name]
        gate |= {"scorer": label, "calibrated": label, "threshold": threshold}
        gate |= {"review_share": share, "leak_words": 8}
    path.write_text(yaml.safe_dump(found))
    return path


def _admitted(home: Path, tmp_path: Path, label: str) -> dict[str, set[str]]:
    """Per phase, what is admitted when its gate takes the scores of this scorer."""
    env = {"LEM_CURRICULUM": str(_curriculum(tmp_path / f"{label}.yaml", label))}
    lem(home, "gate", env=env)
    found = rows(lem(home, "sql", "select phase, generation from admitted", "--json", env=env))
    return {
        phase: {row["generation"] for row in found if row["phase"] == phase} for phase in ("1", "3")
    }


def _told(home: Path, curriculum: Path, *more: str) -> list[dict[str, Any]]:
    env = {"LEM_CURRICULUM": str(curriculum)}
    return rows(lem(home, "compare", A, B, "--json", *more, env=env))


def test_the_rows_that_move_are_those_that_move_when_the_gate_changes_scorer(
    home: Path, curriculum: Path, tmp_path: Path
) -> None:
    told = _told(home, curriculum)

    before, after = (_admitted(home, tmp_path, label) for label in (A, B))

    for dataset in (row for row in told if row["type"] == "dataset"):
        phase = dataset["phase"]
        moved = [row for row in told if row["type"] == "row" and row["phase"] == phase]
        enter = {row["generation"] for row in moved if row["enters"]}
        leave = {row["generation"] for row in moved if not row["enters"]}
        assert enter == after[phase] - before[phase]
        assert leave == before[phase] - after[phase]
        assert (dataset["rows_a"], dataset["rows_b"]) == (len(before[phase]), len(after[phase]))
        assert (dataset["enter"], dataset["leave"]) == (len(enter), len(leave))
    reasons = {row["reason"] for row in told if row["type"] == "row"}
    assert {"threshold", "best"} <= reasons
    assert any(reason.endswith(" is kept instead") for reason in reasons)


def test_decisions_that_flip_are_counted_by_policy(home: Path, curriculum: Path) -> None:
    told = _told(home, curriculum)

    found = {(row["phase"], row["of"]): row for row in told if row["type"] == "policy"}
    own, others = found["3", "own"], found["3", "history"]
    assert (own["generations"], others["generations"]) == (80, 80)
    assert own["passes_b"] == own["passes_a"] + own["gained"] - own["lost"]
    assert own["lost"] > 0
    assert _passing(home, others["same_share"]) >= others["passes_a"]
    assert _passing(home, others["same_share"] + 0.01) < others["passes_a"]
    assert ("0", "history") not in found  # it has no threshold
    assert ("2", "own") not in found  # it has no generations


def _passing(home: Path, threshold: float) -> int:
    """Of the history's answers, how many the second scorer gives so much."""
    of = "scored_generations where phase = 'history' and outcome = 'ok'"
    query = f"select count(*) as n from {of} and scorer = '{B}' and score >= {threshold}"
    (row,) = rows(lem(home, "sql", "--json", query))
    return int(row["n"])


def test_means_and_ranks_are_those_of_the_scores(home: Path, curriculum: Path) -> None:
    head, *told = _told(home, curriculum)
    pairs = "select one.score as a, two.score as b from scores one join scores two"
    found = rows(
        lem(
            home,
            *("sql", "--json"),
            f"{pairs} using (generation) where one.scorer = '{A}' and two.scorer = '{B}'",
        )
    )

    a, b = ([row[name] for row in found] for name in ("a", "b"))
    spread = {row["scorer"]: row for row in told if row["type"] == "spread"}
    assert head["generations"] == len(found) == 240
    assert head["correlation"] == pytest.approx(_pearson(_ranks(a), _ranks(b)), abs=1e-12)
    for label, scores in ((A, a), (B, b)):
        assert spread[label]["mean"] == pytest.approx(sum(scores) / len(scores))
        assert spread[label]["distinct_scores"] == len(set(scores))
        assert (spread[label]["least"], spread[label]["most"]) == (min(scores), max(scores))


def _ranks(values: list[float]) -> list[float]:
    """The mean place of each among equals."""
    ordered = sorted(values)
    return [ordered.index(value) + (values.count(value) - 1) / 2 for value in values]


def _pearson(x: list[float], y: list[float]) -> float:
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    both = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True))
    own = sum((p - mean_x) ** 2 for p in x) * sum((q - mean_y) ** 2 for q in y)
    return float(both / own**0.5)


def test_a_signal_at_its_cap_is_counted(home: Path, curriculum: Path) -> None:
    told = _told(home, curriculum)

    found = {(s["scorer"], s["signal"]): s for s in told if s["type"] == "signal"}
    answers = _answers(random.Random(5))
    scores = scorer(A).function([Text(each.response) for each in answers])
    counts = [score.signals["emotional_register"] for score in scores]
    cap = 8 / 0.8
    emotional = found[A, "emotional_register"]
    assert emotional["mean"] == pytest.approx(sum(counts) / len(counts))
    assert emotional["fires"] == pytest.approx(sum(map(bool, counts)) / len(counts))
    assert emotional["at_cap"] == pytest.approx(sum(c >= cap for c in counts) / len(counts))
    assert found[A, "degeneration"]["at_cap"] is None


def test_a_judge_of_the_history_is_agreed_with(home: Path, tmp_path: Path) -> None:
    """One who judges as the first scorer does agrees with it wholly."""
    mine = tmp_path / "judged"
    answers = _answers(random.Random(6))[:30]
    with log(mine) as store:
        for topic in ("generations", "scores"):
            store.declare(topic, 1)
        by = scorer(A)
        judged = [scored(x, 2 * by.one(x.response).score + 1, scorer="recorded@x") for x in answers]
        put(store, *answers, *judged)
    for label in (A, B):
        lem(mine, "rescore", "--scorer", label)

    told = rows(lem(mine, "compare", A, B, "--json"))

    (found,) = (row for row in told if row["type"] == "agreement")
    assert (found["judge"], found["generations"]) == ("recorded@x", 30)
    assert found["a"] == pytest.approx(1)
    assert found["b"] < 1


def test_a_person_sees_both_texts_side_by_side(home: Path, curriculum: Path) -> None:
    shown = lem(home, "compare", A, B, "--texts", "1", env={"LEM_CURRICULUM": str(curriculum)})

    assert f"{A}: " in shown.stdout
    assert f"{B}: " in shown.stdout
    assert "leaves the dataset of phase" in shown.stdout


def test_the_page_needs_nothing_from_the_net_and_lets_no_text_be_markup(
    home: Path, curriculum: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "marked"
    with log(mine) as store:
        for topic in ("generations", "scores"):
            store.declare(topic, 1)
        texts = (
            "<script>alert(1)</script> I feel & see.",
            "Ten words, none of which counts.",
            "No.",
        )
        asked = (requested(sample=at) for at in range(len(texts)))
        put(store, *(generated(ask, response=t) for ask, t in zip(asked, texts, strict=True)))
    for label in (A, B):
        lem(mine, "rescore", "--scorer", label)

    lem(mine, "compare", A, B, "--html", "page.html")
    page = (mine.parent / "page.html").read_text()

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert '<mark title="first_person">I</mark>' in page
    assert page.count("<svg") == 3
    assert not any(word in page for word in ('src="', "url(http", "<link", "@import"))


def test_what_lacks_a_score_is_said(home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "lacking"
    with log(mine) as store:
        for topic in ("generations", "scores"):
            store.declare(topic, 1)
        put(store, *_answers(random.Random(1))[:3])

    said = refusal(mine, "compare", A, B)
    assert f"`lem rescore --scorer {A}`; then `lem rescore --scorer {B}`" in said
    lem(mine, "rescore", "--scorer", A, "--phase", "1")
    assert "`lem rescore --scorer lek@2.1`" in refusal(mine, "compare", A, B)
    lem(mine, "rescore", "--scorer", B)
    done = lem(mine, "compare", A, B, "--json")
    assert f"2 generations have no score by {A}" in done.stderr
    assert rows(done)[0]["lacking"] == {A: 2}


def test_one_scorer_is_not_compared_with_itself(home: Path) -> None:
    assert "name two" in refusal(home, "compare", A, A)


def test_a_page_that_can_not_be_written_is_told(home: Path, curriculum: Path) -> None:
    page = "no/such/page.html"
    said = refusal(home, "compare", A, B, "--html", page, LEM_CURRICULUM=str(curriculum))
    assert "no/such/page.html can't be written" in said
