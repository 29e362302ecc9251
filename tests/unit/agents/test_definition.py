"""A definition is read from a file, or refused with what is wrong in it, and where."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.scorers.alphabet import MOST_NAMED
from agents.scorers.base import Fixture
from agents.scorers.definition import load
from streams.errors import ConfigError

FIXTURE = {"text": "However.", "score": 2}
RULE: dict[str, Any] = {"find": ["however"]}
SIGNS = "".join(map(chr, range(0x2190, 0x2190 + MOST_NAMED)))  # arrows


def written(folder: Path, **fields: Any) -> Path:
    """A definition with one signal, or with these fields in place of what it has."""
    own = {"name": "own", "version": "1", "summary": "Counts.", "signals": {"it": {"weight": 1}}}
    path = folder / "own@1.yaml"
    path.write_text(yaml.safe_dump(own | fields, allow_unicode=True), encoding="utf-8")
    return path


def signal(folder: Path, **fields: Any) -> Path:
    return written(folder, signals={"it": {"weight": 1} | fields})


def test_a_definition_is_as_its_file_has_it(tmp_path: Path) -> None:
    found = load(
        written(tmp_path, signals={"it": {"weight": 2, "count": [RULE]}}, fixtures=[FIXTURE])
    )

    assert found.signals["it"].count[0].find == ("however",)
    assert found.fixtures == (Fixture(text="However.", score=2),)


def test_neither_summary_nor_fixtures_make_another_definition(tmp_path: Path) -> None:
    plain = load(written(tmp_path)).digest

    assert load(written(tmp_path, summary="Other.", fixtures=[FIXTURE])).digest == plain
    assert load(written(tmp_path, signals={"it": {"weight": 2}})).digest != plain


def test_so_many_signs_that_are_not_ascii_can_be_named(tmp_path: Path) -> None:
    assert load(signal(tmp_path, count=[{"find": list(SIGNS)}]))

    with pytest.raises(ConfigError, match=f"name {MOST_NAMED + 1} signs .*, {MOST_NAMED} at most"):
        load(signal(tmp_path, count=[{"find": list(SIGNS), "less": "—"}]))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"count": [{"find": ["(?=x)"]}]}, r'signal it: "\(\?=x\)" has \(\? without a colon'),
        ({"count": [RULE | {"less": "x*"}]}, r'signal it: "x\*" can match nothing'),
        ({"count": [{"find": [r"\w{100}", r"\w{99}"]}]}, "makes the rule too large"),
        ({"count": [{"find": []}]}, "length >= 1"),
        ({"count": [RULE | {"at_least": -1}]}, ">= 0"),
        ({"count": [RULE | {"folded": True}]}, "unknown field `folded`"),
        ({"weight": float("nan")}, "signal it: one of its numbers"),
        ({"cap": float("inf")}, "signal it: one of its numbers"),
        ({"measure": "short"}, "its limits are none; by its measure they have to be below"),
        ({"limits": {"below": 20}}, "its limits are below; by its measure they have to be none"),
        ({"measure": "repeats", "limits": {"length": 0, "times": 5}}, "`length` is 0, below 1"),
        ({"measure": "repeats", "limits": {"length": 9, "times": 2}}, "`times` is 2, below 3"),
        ({"measure": "long"}, "Invalid enum value 'long'"),
    ],
)
def test_a_signal_that_cannot_be_counted_is_refused(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        load(signal(tmp_path, **fields))

    assert "own@1.yaml" in str(told.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"signals": {}}, "length >= 1"),
        ({"failed": 0, "signals": {"failed": {"weight": 1}}}, "a signal `failed`"),
        ({"failed": float("nan")}, "failed is nan"),
        ({"version": "first"}, "matching regex"),
        ({"fixtures": [{"text": "However."}]}, "missing required field `score`"),
        ({"fixtures": [FIXTURE | {"signal": {}}]}, "unknown field `signal`"),
    ],
)
def test_a_definition_that_gives_no_score_is_refused(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, **fields))


@pytest.mark.parametrize("data", [b"", b"- a\n", b"a: [b\nc: d", b"\xff\xfe\x00", b"[" * 9000])
def test_a_file_that_is_no_definition_is_told_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "own@1.yaml"
    path.write_bytes(data)

    with pytest.raises(ConfigError, match=r"own@1\.yaml is no definition of a scorer") as told:
        load(path)

    assert "\n" not in str(told.value)
