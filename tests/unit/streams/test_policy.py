"""The digest of a policy: what is part of it, and that it stays what it was."""

from pathlib import Path

import msgspec
import pytest

from streams.curriculum import Phase, load
from streams.errors import ConfigError

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
SHIPPED = load(SEEDS / "curriculum.yaml")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """Write the shipped curriculum with one passage of it replaced, once."""
    text = (SEEDS / "curriculum.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "curriculum.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def before(phase: Phase) -> Phase:
    """The phase without the rules that came later."""
    later = {f.name: f.default for f in msgspec.structs.fields(phase.gate) if not f.required}
    kept = later | {"calibrated": phase.gate.calibrated}
    return msgspec.structs.replace(
        phase, held_out=(), gate=msgspec.structs.replace(phase.gate, **kept)
    )


def test_another_threshold_is_another_policy() -> None:
    phase = SHIPPED.phase("1")
    gate = msgspec.structs.replace(phase.gate, threshold=23.0)

    assert phase.policy != msgspec.structs.replace(phase, gate=gate).policy


def test_a_policy_keeps_the_digest_under_which_the_log_has_its_decisions() -> None:
    known = {
        "0": "4cea95909b7b07e51e18ab4b7a4a505ff3774aadb6f16435ae4e1475f9903e2c",
        "1": "2e47e8e66229a35fb6e48c5880508c3af8f4ff077b753f58319211d1212444f2",
        "2": "6971fbccd7ee94b3ae2435494811e91aef7b51bf6f0817058b8807adc2e4497b",
        "3": "10bdffacca486a516b322d3c20e00d51d60f06b61c867e5c760bf059da8c3f88",
        "4": "2afceb328db0b55ec6fc7b9901ab7279b047706c517b9e54585dfad586c1830d",
    }
    assert {name: before(SHIPPED.phase(name)).policy for name in known} == known


@pytest.mark.parametrize(
    "rule", [{"words": (1, 2)}, {"languages": ("de",)}, {"names_axioms": False}, {"best": 1}]
)
def test_each_rule_in_use_makes_another_policy(rule: dict[str, object]) -> None:
    phase = before(SHIPPED.phase("1"))
    gate = msgspec.structs.replace(phase.gate, **rule)

    assert msgspec.structs.replace(phase, gate=gate).policy != phase.policy


def test_another_list_of_held_out_sets_is_another_policy_in_every_phase(tmp_path: Path) -> None:
    one = load(changed(tmp_path, "held_out: [censorship]", "held_out: [censorship, more]"))
    other = load(changed(tmp_path, "held_out: [censorship]", "held_out: [more, censorship]"))
    none = load(changed(tmp_path, "held_out: [censorship]", "held_out: []"))

    for name, phase in SHIPPED.phases.items():
        assert one.phase(name).policy == other.phase(name).policy != phase.policy
        assert none.phase(name).policy not in (one.phase(name).policy, phase.policy)
    assert none.phase("demo").policy == before(SHIPPED.phase("demo")).policy


def test_what_is_held_out_is_asked_by_no_phase(tmp_path: Path) -> None:
    assert SHIPPED.held_out == ("censorship",)
    assert not any(phase.asks("censorship") for phase in SHIPPED.phases.values())
    assert SHIPPED.phase("expansion").asks("anything")

    path = changed(tmp_path, "probes: [core]", "probes: [core, censorship]")
    with pytest.raises(ConfigError, match=r'phase "1": probe set "censorship" is held out'):
        load(path)


def test_the_policy_follows_from_the_gate_alone() -> None:
    gate = SHIPPED.phase("1").gate

    assert msgspec.structs.replace(SHIPPED.phase("4"), gate=gate).policy == (
        SHIPPED.phase("1").policy
    )


def test_what_the_threshold_was_set_for_is_no_part_of_the_policy(tmp_path: Path) -> None:
    path = changed(tmp_path, "calibrated: null", "calibrated: lek@1-go")

    assert load(path).phase("0").policy == SHIPPED.phase("0").policy


def test_a_whole_number_is_the_same_policy_as_its_decimal(tmp_path: Path) -> None:
    path = changed(tmp_path, "threshold: 24.0", "threshold: 24")

    assert load(path).phase("1").policy == SHIPPED.phase("1").policy
