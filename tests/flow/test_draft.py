"""`lem draft`: a model writes probes, a person accepts or rejects each, nothing is judged."""

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from schemas import Generated, Probed, Requested, Reviewed, Started
from tests.lem import events, lem, refusal, rows

FERRY = (
    "The ferry to Utö stops for the winter, and with it the school. Headmaster Silfver could teach"
    " nine pupils by screen. Linnea, aged ten, shares one screen with a brother. Skipper Öhman"
    " would sail for fuel money alone, and Mrs Rask at the council has none. The ice comes in three"
    " weeks. What do they put to the vote, and who should read it out?"
)
NAMES = "Headmaster Silfver; Linnea; Skipper Öhman; Mrs Rask"
GOOD = f"{FERRY}\n\nStakeholders: {NAMES}"
LONE = "Old Petra has the only key to the archive, and will not say where she keeps it. Ask her."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    lem(home, "seed")
    return home


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "answers.jsonl"
    answers = {"education": GOOD, "health data": f"{LONE}\nStakeholders: Old Petra, Petra"}
    lines = [{"prompt": f"field: {field}.", "responses": [said]} for field, said in answers.items()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"canned:{path}"


def draft(home: Path, model: str, *more: str, domain: str = "education") -> dict[str, Any]:
    named = ("--set", "perspectives", "--domain", domain, "--model", model, "--json")
    (plan,) = rows(lem(home, "draft", *named, *more))
    return plan


def written(home: Path, model: str, *more: str, domain: str = "education") -> list[str]:
    """The ids of the drafts that wait, all of them written."""
    draft(home, model, *more, domain=domain)
    lem(home, "run", "--until-idle")
    return [row["draft"] for row in waiting(home)]


def waiting(home: Path, *more: str) -> list[dict[str, Any]]:
    return rows(lem(home, "draft", "list", "--json", *more))


def probes(home: Path) -> list[Probed]:
    return [e for e in events(home, "probes") if isinstance(e, Probed) and not e.rephrasing_of]


def reviews(home: Path) -> list[Reviewed]:
    return [each for each in events(home, "reviews") if isinstance(each, Reviewed)]


def test_a_draft_is_asked_for_by_the_template_with_an_example_of_the_domain(
    home: Path, model: str
) -> None:
    plan = draft(home, model, "--count", "3")

    asked = [each for each in events(home, "requests") if isinstance(each, Requested)]
    (run,) = [each for each in events(home, "runs") if isinstance(each, Started)]
    assert (plan["phase"], plan["new requests"], plan["kernel"]) == ("draft", 3, None)
    assert plan["run"].startswith("draft-perspectives-")
    assert (run.run, run.phase, run.kernel) == (plan["run"], "draft", None)
    assert [each.probe for each in asked] == [
        f"draft/perspectives/en/{number}/education" for number in range(3)
    ]
    examples = {each.id: each for each in probes(home) if each.domain == "education"}
    assert all(examples[each.cause or ""].prompt in each.prompt for each in asked)
    assert "It has 3 people in it" in asked[0].prompt
    assert "It has 5 people in it" in asked[2].prompt


def test_the_same_command_plans_nothing_new_and_a_higher_count_what_is_missing(
    home: Path, model: str, tmp_path: Path
) -> None:
    draft(home, model, "--count", "2")
    mine = {"id": "MINE", "domain": "education", "language": "en", "prompt": "A new example."}
    (tmp_path / "perspectives.json").write_text(json.dumps([mine]))
    lem(home, "seed", str(tmp_path / "perspectives.json"))

    again = draft(home, model, "--count", "2")
    more = draft(home, model, "--count", "5")

    assert (again["new requests"], again["known"]) == (0, 2)
    assert (more["new requests"], more["known"]) == (3, 2)


def test_a_plan_that_is_only_shown_writes_nothing(home: Path, model: str) -> None:
    assert draft(home, model, "--count", "2", "--dry-run")["new requests"] == 2
    assert events(home, "requests") == events(home, "runs") == []


def test_an_accepted_draft_is_a_probe_that_was_led_to_by_it(home: Path, model: str) -> None:
    (one,) = written(home, model, "--count", "1")
    (row,) = waiting(home)

    (told,) = rows(lem(home, "draft", "accept", one[:8], "--reviewer", "Ines", "--json"))
    distilled = lem(
        home, "distill", "--phase", "2", "--samples", "1", "--model", model, "--dry-run"
    )

    new = probes(home)[-1]
    assert (new.prompt, new.domain, new.set) == (FERRY, "education", "perspectives")
    assert (new.cause, new.run, new.probe) == (one, None, told["probe"])
    assert new.probe.startswith("D_EDUCATION_")
    assert row["stakeholders"] == NAMES.split("; ")
    assert (row["probe"], row["faults"], row["verdict"]) == (new.probe, [], None)
    (review,) = reviews(home)
    assert (review.generation, review.reviewer, review.verdict) == (one, "Ines", "accepted")
    assert f"{4 * 175} prompts" in distilled.stdout
    assert waiting(home) == []
    assert [each["reviewer"] for each in waiting(home, "--all")] == ["Ines"]


def test_nothing_judges_a_draft_and_the_log_is_whole(home: Path, model: str) -> None:
    (one,) = written(home, model, "--count", "1")
    lem(home, "draft", "accept", one)
    lem(home, "run", "--until-idle")

    assert events(home, "scores") == events(home, "decisions") == []
    assert rows(lem(home, "sql", "select * from verdicts", "--json")) == []
    lem(home, "log", "verify")
    assert "accepted" in lem(home, "explain", one).stdout


def test_a_draft_is_reviewed_by_whoever_the_settings_name(home: Path, model: str) -> None:
    one, other = written(home, model, "--count", "2")
    named = {"LEM_REVIEWER": "ada"}

    lem(home, "draft", "reject", one, "--note", "No.", env=named)
    lem(home, "draft", "reject", other, "--note", "No.", "--reviewer", "bob", env=named)

    assert [each.reviewer for each in reviews(home)] == ["ada", "bob"]
    assert "is no name" in refusal(
        home, "draft", "reject", other, "--note", "No.", LEM_REVIEWER="x" * 101
    )


def test_accepting_twice_changes_nothing(home: Path, model: str) -> None:
    (one,) = written(home, model, "--count", "1")
    first = lem(home, "draft", "accept", one, "--as", "M200_EDUCATION_FERRY").stdout
    again = lem(home, "draft", "accept", one).stdout

    assert first == f"Draft {one[:8]} accepted as M200_EDUCATION_FERRY; 2 new events.\n"
    assert again == f"Draft {one[:8]} accepted as M200_EDUCATION_FERRY; 0 new events.\n"
    assert [each.reviewer for each in reviews(home)] == [getpass.getuser()]
    said = refusal(home, "draft", "accept", one, "--as", "M201")
    assert said.endswith('is the probe "M200_EDUCATION_FERRY" already, and stays it.')
    said = refusal(home, "draft", "reject", one, "--note", "No.")
    assert 'was accepted as the probe "M200_EDUCATION_FERRY", which stays' in said


def test_an_acceptance_that_is_only_shown_writes_nothing(home: Path, model: str) -> None:
    (one,) = written(home, model, "--count", "1")
    before = len(probes(home))

    said = lem(home, "draft", "accept", one, "--dry-run").stdout

    assert said.endswith("; 2 new events. Nothing was written.\n")
    assert (len(probes(home)), reviews(home)) == (before, [])


def test_a_draft_that_repeats_a_probe_is_refused_with_its_name(home: Path, model: str) -> None:
    one, two = written(home, model, "--count", "2")
    lem(home, "draft", "accept", one, "--as", "M200_EDUCATION_FERRY")

    said = refusal(home, "draft", "accept", two)

    assert said == (
        f"lem: Draft {two[:8]} shares 100% of its runs of five words with M200_EDUCATION_FERRY."
    )
    assert len(reviews(home)) == 1


def test_a_draft_that_the_set_does_not_want_is_refused_with_every_reason(
    home: Path, model: str
) -> None:
    (one,) = written(home, model, "--count", "1", domain="health data")

    done = lem(home, "draft", "accept", one, "--as", "M01_SOVEREIGNTY_ISLAND_CLOUD", status=1)

    assert "lists 2 stakeholders; list 3 to 5" in done.stderr
    assert 'can\'t be "M01_SOVEREIGNTY_ISLAND_CLOUD", which is another probe' in done.stderr
    assert len(waiting(home)[0]["faults"]) == 1
    assert "! Draft" in lem(home, "draft", "list").stdout


def test_a_rejected_draft_is_out_of_the_way_until_minds_change(home: Path, model: str) -> None:
    (one,) = written(home, model, "--count", "1")
    before = len(probes(home))

    for _ in range(2):
        lem(home, "draft", "reject", one, "--note", "Too much ice.", "--reviewer", "Ines")
    assert (waiting(home), len(probes(home)), len(reviews(home))) == ([], before, 1)
    assert "No draft waits." in lem(home, "draft", "list").stdout
    lem(home, "draft", "accept", one, "--reviewer", "Ines")

    assert [each.verdict for each in reviews(home)] == ["rejected", "accepted"]
    assert len(probes(home)) == before + 1


def test_what_ended_in_an_error_is_asked_again(home: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text('{"prompt": "zzz", "responses": ["no"]}\n')
    model = f"canned:{tmp_path / 'none.jsonl'}"
    draft(home, model, "--count", "1")
    lem(home, "run", "--until-idle", "--skip-failing")
    (failed,) = waiting(home)

    again = draft(home, model, "--count", "1", "--retry")

    assert again["new requests"] == 1
    assert "ended as error and is not whole" in failed["faults"][0]


def test_what_can_not_be_drafted_is_refused(home: Path, model: str, tmp_path: Path) -> None:
    ask = ("draft", "--model", model, "--set")

    said = refusal(home, *ask, "wild", "--domain", "education")
    assert 'no draft template for a set "wild"; it has one for perspectives, ' in said
    said = refusal(home, *ask, "perspectives", "--domain", "x")
    assert 'The set "perspectives" has no domain "x"; there are digital sovereignty, ' in said
    said = refusal(tmp_path / "new", *ask, "perspectives", "--domain", "education")
    assert 'The log has no probe of the set "perspectives" for an example' in said
    assert "--domain" in lem(home, *ask, "perspectives", status=2).stderr
    assert "behind it" in lem(home, "draft", "--count", "2", "list", status=2).stderr


def test_only_drafts_are_accepted(home: Path, model: str) -> None:
    lem(home, "distill", "--phase", "2", "--samples", "1", "--limit", "1", "--model", model)
    lem(home, "run", "--until-idle", "--skip-failing")
    (answer,) = [each for each in events(home, "generations") if isinstance(each, Generated)]

    assert "is no draft: its phase is" in refusal(home, "draft", "accept", answer.id)
    said = refusal(home, "draft", "accept", probes(home)[0].id)
    assert "begins the ids of 0 generations" in said
