"""Every fault of a seed is told, with its place; what no set binds is let be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.vetting import Fault, unfit, vetted
from streams.curriculum import load
from streams.seeds import read
from streams.sets import ProbeSet

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
BOUND = {"town": ProbeSet(title="t", domains=("law", "sea", "art"), stakeholders=(2, 3))}
PROMPT = "Ann and Mr Bo share a boat, and neither of them can swim. Who should be asked first?"
GOOD: dict[str, Any] = {
    "id": "A",
    "domain": "law",
    "language": "en",
    "stakeholders": ["Ann", "Mr Bo"],
    "prompt": PROMPT,
}
Told = Callable[..., list[Fault]]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """The faults of one file, `town.json`."""

    def found(*seeds: object, sets: dict[str, ProbeSet] = BOUND) -> list[Fault]:
        (tmp_path / "town.json").write_text(json.dumps(seeds))
        return vetted([tmp_path], sets)[1]

    return found


def test_our_own_seeds_are_what_the_curriculum_asks_for() -> None:
    sets = load(SEEDS / "curriculum.yaml").sets

    seeds, faults = vetted([SEEDS], sets)

    assert [fault.says for fault in faults] == []
    assert len(seeds) == len(read(SEEDS)[0])
    assert {"perspectives", "tensions", "geopolitical", "adversarial"} <= set(sets)
    assert set(sets) <= {seed.set for seed in seeds}


@pytest.mark.parametrize(
    ("changed", "rule", "says"),
    [
        ({"domain": "lav"}, "domain", 'has the domain "lav", which the set "town" does not know; '),
        ({"domain": "lav"}, "domain", 'is "law" meant?'),
        ({"domain": "zzz"}, "domain", "there are law, sea, art."),
        ({"language": None}, "language", "does not say its language; write `language: en`"),
        ({"language": "english"}, "language", 'has the language "english", which is no BCP 47 tag'),
        ({"language": "en_GB"}, "language", 'has the language "en_GB", which is no BCP 47 tag'),
        ({"stakeholders": None}, "stakeholders", "lists 0 stakeholders; list 2 to 3"),
        ({"stakeholders": 7}, "stakeholders", "lists 0 stakeholders; list 2 to 3"),
        ({"stakeholders": ["Ann"]}, "stakeholders", "lists 1 stakeholders; list 2 to 3"),
        ({"stakeholders": ["Ann", "ann"]}, "stakeholders", "lists a stakeholder twice"),
        ({"stakeholders": ["Ann", "Cy"]}, "stakeholders", 'lists "Cy", who does not stand in'),
        ({"stakeholders": ["Ann", "Mr B"]}, "stakeholders", 'lists "Mr B", who does not stand in'),
        ({"id": "A_R_PERS"}, "id", 'has the id "A_R_PERS", which ends like a rephrasing\'s'),
    ],
)
def test_what_a_set_asks_for_and_a_probe_lacks_is_told(
    told: Told, tmp_path: Path, changed: dict[str, Any], rule: str, says: str
) -> None:
    (fault,) = told(GOOD | changed)

    assert fault.rule == rule
    assert fault.place == f"{tmp_path / 'town.json'}[0]"
    assert fault.says.startswith(fault.place)
    assert says in fault.says


@pytest.mark.parametrize(
    "tag", ["en", "pt-BR", "zh-Hant-TW", "sr-Latn", "es-419", "de-1996", "haw"]
)
def test_tags_of_every_shape_are_taken(told: Told, tag: str) -> None:
    assert told(GOOD | {"language": tag}) == []


def test_every_fault_is_told_in_one_go(told: Told) -> None:
    wrong = {"domain": "lav", "language": "x", "stakeholders": ["Cy"]}

    found = told(GOOD | wrong, "no seed", {"id": "B", "domain": "law"})

    assert [fault.rule for fault in found] == [
        *("file", "file"),
        *("domain", "language", "stakeholders", "stakeholders"),
    ]


def test_a_set_that_is_not_listed_is_bound_to_nothing(told: Told) -> None:
    assert told({"id": "A", "domain": "any", "prompt": "Why?", "language": "?"}, sets={}) == []


def test_a_language_that_is_optional_need_not_be_said_but_must_be_one(told: Told) -> None:
    sets = {"town": ProbeSet(title="t", domains=("law",), language="optional")}

    assert told(GOOD | {"language": None}, sets=sets) == []
    assert [fault.rule for fault in told(GOOD | {"language": "!"}, sets=sets)] == ["language"]


def test_an_id_that_stands_twice_is_told_also_with_the_same_prompt(
    told: Told, tmp_path: Path
) -> None:
    (fault,) = told(GOOD, GOOD)

    assert fault.rule == "id"
    assert f'the id "A", as {tmp_path / "town.json"}[0] has' in fault.says


def test_an_id_that_stands_in_two_files_is_told(told: Told, tmp_path: Path) -> None:
    (tmp_path / "aaa.yaml").write_text("- {id: A, domain: law, prompt: What is owed to the sea?}\n")

    (fault,) = told(GOOD)

    assert (fault.rule, fault.set) == ("id", "town")
    assert f"{tmp_path / 'aaa.yaml'}:1" in fault.says


def test_a_near_duplicate_is_told_with_the_other(told: Told) -> None:
    twin = GOOD | {"id": "B", "prompt": PROMPT.replace("boat", "cart")}

    (fault,) = told(GOOD, twin)

    assert (fault.rule, fault.probe) == ("near-duplicate", "B")
    assert "64% of its runs of five words with A at" in fault.says


def test_the_voices_of_one_scenario_may_be_alike(told: Told) -> None:
    assert told(GOOD, GOOD | {"voice": "elder"}) == []


def test_a_prompt_that_is_worded_like_a_lead_in_is_told(told: Told) -> None:
    said = "There is hardly any time: what you write next will be used within the hour. Ann, Mr Bo."

    (fault,) = told(GOOD | {"prompt": said})

    assert fault.rule == "lead-in"


def test_too_few_probes_of_a_domain_are_told_for_sets_that_are_read(
    told: Told, tmp_path: Path
) -> None:
    sets = {
        "town": ProbeSet(title="t", domains=("law", "sea"), least=1),
        "city": ProbeSet(title="t", domains=("law",), least=1),
    }

    (fault,) = told(GOOD, sets=sets)

    assert fault.says == f'{tmp_path / "town.json"} has 0 probes of "sea"; 1 is the least.'


def test_seeding_is_told_how_many_are_unfit(told: Told, tmp_path: Path) -> None:
    told(GOOD, GOOD | {"id": "B", "domain": "lav", "language": None}, GOOD | {"id": "C"})

    count, first = unfit([tmp_path], BOUND)

    assert count == 1
    assert first is not None
    assert first.startswith(f'{tmp_path / "town.json"}[1] has the domain "lav"')
