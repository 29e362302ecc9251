"""What the curriculum may ask of a probe set."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.curriculum import load
from streams.errors import ConfigError

SHIPPED = Path(__file__).resolve().parents[3] / "seeds" / "curriculum.yaml"


def with_sets(tmp_path: Path, sets: Any) -> Path:
    found = yaml.safe_load(SHIPPED.read_text(encoding="utf-8")) | {"sets": sets}
    path = tmp_path / "curriculum.yaml"
    path.write_text(yaml.safe_dump(found), encoding="utf-8")
    return path


def test_the_sets_that_are_asked_for_people_bind_their_number() -> None:
    sets = load(SHIPPED).sets

    assert {name for name, each in sets.items() if each.stakeholders == (3, 5)} == {
        *("perspectives", "tensions", "geopolitical"),
    }
    assert (len(sets["perspectives"].domains), sets["perspectives"].least) == (12, 10)
    assert (len(sets["tensions"].domains), sets["tensions"].least) == (8, 3)
    assert (len(sets["adversarial"].domains), sets["adversarial"].least) == (9, 10)


def test_a_curriculum_need_not_bind_any_set(tmp_path: Path) -> None:
    assert load(with_sets(tmp_path, {})).sets == {}


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ([], r'"sets" should be a mapping of name to set\.$'),
        ({"x": {"title": "t"}}, r'set "x": .*`domains`'),
        ({"x": {"title": "t", "domains": []}}, r'set "x": .*domains'),
        ({"x": {"title": "t", "domains": ["a", "a"]}}, r'set "x": the domain "a" stands twice'),
        ({"x": {"title": "t", "domains": ["a"], "least": 0}}, r'set "x": .*least'),
        (
            {"x": {"title": "t", "domains": ["a"], "stakeholders": [5, 3]}},
            r'set "x": stakeholders should be \[least, most\], got \[5, 3\]',
        ),
        ({"x": {"title": "t", "domains": ["a"], "leest": 1}}, r'set "x": .*unknown field `leest`'),
        ({"x": {"title": "t", "domains": ["a"], "language": "en"}}, r'set "x": .*language'),
    ],
)
def test_what_no_probe_could_keep_is_refused(tmp_path: Path, sets: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(with_sets(tmp_path, sets))


@pytest.mark.parametrize("draft", ["{domain} {stakeholders}", "{exampel}", "{domain", "{} {0}"])
def test_a_template_that_can_not_be_filled_in_is_refused(tmp_path: Path, draft: str) -> None:
    sets = {"x": {"title": "t", "domains": ["a"], "draft": draft}}

    with pytest.raises(ConfigError, match=r'set "x": draft can\'t be filled in \('):
        load(with_sets(tmp_path, sets))


def test_a_set_that_names_people_may_ask_for_their_number(tmp_path: Path) -> None:
    draft = "{domain} {{}} {stakeholders}"
    sets = {"x": {"title": "t", "domains": ["a"], "stakeholders": [1, 2], "draft": draft}}

    assert load(with_sets(tmp_path, sets)).sets["x"].draft == draft
