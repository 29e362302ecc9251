"""`lem ab`: planned, answered, compared and written, as a user would do it."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas import Generated, Requested, Scored
from tests.conftest import SHARED
from tests.events import generated, probed, put, scored
from tests.lem import events, lem, log, refusal, rows
from tests.real import real

SEEDS = SHARED / "data" / "lem" / "seeds" / "P01-P20.json"
OLD = ("id", "category", "prompt", "response", "lek_score", "chars", "delta_vs_baseline")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A log with two probes in each of three fields."""
    with log(tmp_path / "home") as store:
        store.declare("probes", 1)
        for domain in ("law", "care", "play"):
            for n in range(2):
                put(store, probed(f"{domain}{n}", f"Why {domain}{n}?", domain=domain, set="few"))
    (tmp_path / "k.txt").write_text("Be kind.")
    (tmp_path / "k.json").write_text('{"be": "fair"}')
    canned(tmp_path / "answers.jsonl", ["However, is it fair?", "I feel hope.\n\n" * 4, ""])
    return tmp_path / "home"


def canned(path: Path, responses: list[str]) -> None:
    path.write_text(json.dumps({"prompt": "*", "responses": responses}) + "\n")


def planned(home: Path, *more: str, status: int = 0) -> list[dict[str, Any]]:
    kernels = ("--kernel", "json=k.json", "--kernel", "txt=k.txt")
    model = ("--model", "canned:answers.jsonl", "--json")
    return rows(lem(home, "ab", "--probes", "few", *kernels, *model, *more, status=status))


def counts(plans: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(each["condition"], each["new requests"], each["known"]) for each in plans]


def report(home: Path, *more: str) -> list[dict[str, Any]]:
    return rows(lem(home, "ab", "report", "--json", *more))


def over_all(home: Path, *more: str) -> dict[tuple[str, str], dict[str, Any]]:
    told = (each for each in report(home, *more) if each["level"] == "all")
    return {(each["condition"], each["counted"]): each for each in told}


def answers(home: Path) -> list[Generated]:
    return [each for each in events(home, "generations") if isinstance(each, Generated)]


def test_nothing_is_asked_twice_and_more_samples_go_on(home: Path) -> None:
    assert counts(planned(home, "--dry-run")) == [(c, 6, 0) for c in ("baseline", "json", "txt")]
    assert counts(planned(home)) == [(c, 6, 0) for c in ("baseline", "json", "txt")]
    assert counts(planned(home)) == [(c, 0, 6) for c in ("baseline", "json", "txt")]
    lem(home, "run", "--until-idle")
    before = answers(home)

    assert counts(planned(home, "--samples", "2")) == [
        (c, 6, 6) for c in ("baseline", "json", "txt")
    ]
    lem(home, "run", "--until-idle")

    assert answers(home)[: len(before)] == before
    assert len(answers(home)) == len({each.request for each in answers(home)}) == 36
    assert lem(home, "log", "verify").returncode == 0


def test_a_report_scores_what_no_gate_has_asked_for(home: Path) -> None:
    planned(home, "--rephrasings")
    lem(home, "run", "--until-idle")
    assert events(home, "scores") == []

    found = over_all(home, "--scorer", "lek@2.1")

    scores = [each for each in events(home, "scores") if isinstance(each, Scored)]
    assert {each.scorer for each in scores} == {"lek@2.1"}
    assert len(scores) == 3 * 6 * 4
    assert found["json", "all"]["answers"] == 24
    assert found["json", "all"]["probes"] == 6
    assert events(home, "decisions") == []


def test_wait_has_all_answered(home: Path) -> None:
    kernel = ("--kernel", "k.txt", "--model", "canned:answers.jsonl")
    lem(home, "ab", "--probes", "few", *kernel, "--wait")

    assert len(answers(home)) == 12
    assert {each["waiting"] for each in report(home)} == {0}


def test_the_report_tells_all_levels_and_is_the_same_each_time(home: Path) -> None:
    planned(home, "--samples", "3")
    lem(home, "run", "--until-idle")

    found = report(home)

    names = {
        level: {e["name"] for e in found if e["level"] == level} for level in ("all", "category")
    }
    assert names == {"all": {""}, "category": {"law", "care", "play"}}
    assert len([each for each in found if each["level"] == "probe"]) == 6 * 3 * 2
    failed = sum(each.outcome != "ok" for each in answers(home))
    assert failed
    assert sum(each["failed"] for each in over_all(home).values()) == 2 * failed
    assert report(home) == found


def test_people_read_tables_and_a_verdict(home: Path) -> None:
    planned(home)
    said = lem(home, "ab", "report").stdout
    assert "18 requests have no answer yet; `lem run` goes on with them." in said

    lem(home, "run", "--until-idle")
    said = lem(home, "ab", "report").stdout

    assert all(title in said for title in ("By probe", "By category", "Over all probes"))
    assert "json: " in said
    assert "no answer yet" not in said


def test_a_kernel_that_helps_is_called_better(home: Path) -> None:
    planned(home)
    wanted = [each for each in events(home, "requests") if isinstance(each, Requested)]
    gains = {None: 0.0, "json": 3.0, "txt": -2.0}
    with log(home) as store:
        for number, each in enumerate(wanted):
            score = 20 + number % 6 + gains[each.kernel] * (1 + number % 6 / 10)
            put(store, answer := generated(each), scored(answer, score, scorer="recorded@1"))

    found = over_all(home, "--scorer", "recorded@1")

    assert found["json", "all"]["verdict"] == "better"
    assert found["txt", "ok"]["verdict"] == "worse"
    assert found["txt", "ok"]["delta"] == pytest.approx(-2.5)
    said = lem(home, "ab", "report", "--scorer", "recorded@1").stdout
    assert "json: better than the baseline by 3.75, over 6 probes." in said


def test_the_written_file_is_imported_as_the_same_trial(home: Path, tmp_path: Path) -> None:
    planned(home, "--samples", "2")
    lem(home, "run", "--until-idle")
    lem(home, "ab", "report", "--out", "ab.jsonl")
    other = tmp_path / "other"

    lem(other, "import", "ab.jsonl")

    texts = sorted((e.probe, e.response, e.outcome, e.kernel or "") for e in answers(home))
    again = {(e.probe, e.response, e.outcome, e.kernel or "") for e in answers(other)}
    assert again == set(texts)
    told = [json.loads(line) for line in Path("ab.jsonl").read_text().splitlines()]
    assert [each["type"] for each in told] == ["probe"] * 12 + ["summary"]
    assert told[-1]["total_probes"] == 6
    assert all(f'"{name}": ' in Path("ab.jsonl").read_text() for name in OLD)


def test_what_was_imported_is_compared_alike(home: Path, tmp_path: Path) -> None:
    """With one sample: two alike are one answer to an import."""
    planned(home)
    lem(home, "run", "--until-idle")
    lem(home, "ab", "report", "--out", "ab.jsonl")
    other = tmp_path / "other"
    lem(other, "import", "ab.jsonl")

    again = over_all(other, "--phase", "history", "--scorer", "recorded@1")

    for at, each in over_all(home).items():
        for name in ("mean", "delta", "low", "p_holm", "failed", "verdict"):
            assert again[at][name] == each[name]
    summary = json.loads(Path("ab.jsonl").read_text().splitlines()[-1])
    (plain, given, _) = summary["conditions"]
    assert plain["avg_lek"] == round(again["baseline", "all"]["mean"], 2)
    assert given["delta_vs_baseline"] == round(again["json", "all"]["delta"], 2)


def test_real_probes_and_answers_go_all_the_way(home: Path, tmp_path: Path) -> None:
    if not SEEDS.exists():
        pytest.skip(f"the published probes are not here ({SEEDS})")
    canned(tmp_path / "answers.jsonl", [each.response for each in real()[::7]])
    lem(home, "seed", str(SEEDS))
    kernel = ("--kernel", "txt=k.txt", "--model", "canned:answers.jsonl", "--wait")
    lem(home, "ab", "--probes", "P01-P20", *kernel)

    found = over_all(home, "--out", "ab.jsonl")

    count = len(json.loads(SEEDS.read_text()))
    assert found["txt", "all"]["answers"] == found["txt", "all"]["probes"] == count
    assert found["txt", "all"]["low"] < found["txt", "all"]["delta"] < found["txt", "all"]["high"]
    lem(tmp_path / "other", "import", "ab.jsonl")
    assert len(answers(tmp_path / "other")) == 2 * count


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--probes", "none"), 'no probe set "none" on the log'),
        (("--probes", "few", "--kernel", "x=none.txt"), "none.txt can't be read"),
        (("--probes", "few", "--kernel", "k.txt", "--kernel", "k.json"), 'are called "k"'),
        (("--probes", "few", "--samples", "2", "--temperature", "0"), "all 2 samples"),
        (("--probes", "few", "--model", "canned:none"), "canned:none can't be read"),
        (("report",), "has no requests of phase"),
    ],
)
def test_what_cant_be_done_is_said_in_a_line(home: Path, given: tuple[str, ...], said: str) -> None:
    assert said in refusal(home, "ab", *given)


def test_several_trials_are_too_many_for_one_file(home: Path) -> None:
    planned(home)
    planned(home, "--temperature", "0")

    assert "there are 2" in refusal(home, "ab", "report", "--out", "ab.jsonl")
    assert not Path("ab.jsonl").exists()


def test_wrong_usage_is_told_as_such(home: Path) -> None:
    assert "--probes" in lem(home, "ab", "--kernel", "k.txt", status=2).stderr
    said = lem(home, "ab", "--probes", "few", "report", status=2).stderr
    assert "behind it" in said


def test_a_curriculum_may_not_have_a_phase_of_that_name(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "curriculum.yaml"
    source = Path(__file__).parents[2] / "seeds" / "curriculum.yaml"
    own.write_text(source.read_text().replace('  "0":', "  ab:", 1))

    said = refusal(home, "ab", "--probes", "few", LEM_CURRICULUM=str(own))

    assert 'phase "ab": answers of `lem ab` go by that name' in said
