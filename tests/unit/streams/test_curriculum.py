"""The curriculum that is shipped, and what a broken one is told."""

from pathlib import Path

import pytest
import yaml

import kernel
from streams.curriculum import Phase, load
from streams.errors import ConfigError
from streams.seeds import read

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
SHIPPED = load(SEEDS / "curriculum.yaml")
TAUGHT = ["0", "1", "2", "3", "4"]


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """Write the shipped curriculum with one passage of it replaced, once."""
    text = (SEEDS / "curriculum.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "curriculum.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_phases_come_in_the_order_of_the_file() -> None:
    assert list(SHIPPED.phases) == [*TAUGHT, "expansion", "try", "demo"]
    assert all(phase.name == name for name, phase in SHIPPED.phases.items())


@pytest.mark.parametrize(
    ("name", "threshold", "temperature", "examples", "words", "iterations", "learning_rate"),
    [
        ("0", None, 0.9, 500, (1000, 3000), 50, 5e-6),
        ("1", 24.0, 0.8, 1500, (2000, 5000), 100, 1e-5),
        ("2", 22.0, 0.8, 1440, (3000, 6000), 100, 8e-6),
        ("3", 20.0, 0.8, 540, (1000, 3000), 50, 5e-6),
        ("4", 25.0, 0.8, 200, (3000, 8000), 50, 3e-6),
    ],
)
def test_a_phase_has_the_figures_of_the_curriculum_design(
    name: str,
    threshold: float | None,
    temperature: float,
    examples: int,
    words: tuple[int, int],
    iterations: int,
    learning_rate: float,
) -> None:
    phase = SHIPPED.phase(name)

    assert (phase.gate.threshold, phase.sampling.temperature) == (threshold, temperature)
    assert (phase.target.examples, phase.target.words) == (examples, words)
    assert (phase.training.iterations, phase.training.learning_rate) == (iterations, learning_rate)


def test_the_phases_add_up_to_the_whole_of_the_design() -> None:
    phases = [SHIPPED.phase(name) for name in TAUGHT]

    assert sum(phase.target.examples for phase in phases) == 4180
    assert sum(phase.training.iterations for phase in phases) == 350
    assert sum(p.training.iterations // p.training.checkpoint_every for p in phases) == 14


def test_all_answers_are_reviewed_where_no_score_or_safety_decides() -> None:
    shares = {name: SHIPPED.phase(name).gate.review_share for name in [*TAUGHT, "demo"]}

    assert shares == {"0": 1.0, "1": 0.1, "2": 0.1, "3": 1.0, "4": 0.1, "demo": 0.0}


def test_only_the_creative_phase_asks_without_a_kernel() -> None:
    assert [name for name in TAUGHT if SHIPPED.phase(name).kernel is None] == ["0"]


@pytest.mark.parametrize("phase", SHIPPED.phases.values(), ids=lambda phase: phase.name)
def test_every_probe_set_and_kernel_that_a_phase_names_is_there(phase: Phase) -> None:
    assert {"*"} == set(phase.probes) or all(
        (SEEDS / f"{name}.yaml").is_file() for name in phase.probes
    )
    assert phase.kernel is None or phase.kernel in kernel.names()


@pytest.mark.parametrize("name", [*TAUGHT, "try", "demo"])
def test_a_phase_does_not_ask_what_only_measures(name: str) -> None:
    assert "censorship" not in SHIPPED.phase(name).probes
    assert "*" not in SHIPPED.phase(name).probes


def test_an_unknown_phase_is_told_which_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r'^No phase "5"; there are 0, 1, 2, 3, 4, expansion, try, demo\.$'
    ):
        SHIPPED.phase("5")


@pytest.mark.parametrize("name", ["ab", "draft", "history"])
def test_a_name_that_has_a_meaning_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "curriculum.yaml"
    path.write_text(f"phases: {{{name}: {{title: Mine}}}}", encoding="utf-8")

    with pytest.raises(ConfigError, match="name it otherwise"):
        load(path)


def test_the_taught_phases_enforce_what_the_design_asks_of_a_response() -> None:
    for phase in (SHIPPED.phase(name) for name in TAUGHT):
        least, most = phase.gate.words or (0, 0)
        assert 0 < least < phase.target.words[0]
        assert most == phase.target.words[1]
        assert not phase.gate.names_axioms
        assert phase.gate.duplicate.similarity == 0.8
    for phase in (SHIPPED.phase(name) for name in ("try", "demo", "expansion")):
        assert (phase.gate.words, phase.gate.languages) == (None, None)


@pytest.mark.parametrize("name", TAUGHT)
def test_a_phase_asks_nothing_in_a_language_that_its_gate_refuses(name: str) -> None:
    phase = SHIPPED.phase(name)
    asked = [seed for part in phase.probes for seed in read(SEEDS / f"{part}.yaml")[0]]

    assert {seed.language.partition("-")[0] for seed in asked} <= {*(phase.gate.languages or ())}


def test_a_gate_that_was_set_for_another_scorer_is_refused_with_the_way_out(
    tmp_path: Path,
) -> None:
    path = changed(tmp_path, "scorer: lek@2, threshold: 24.0", "scorer: lek@2.1, threshold: 24.0")

    with pytest.raises(ConfigError) as caught:
        load(path)

    assert str(caught.value) == (
        f'{path}: phase "1": Gate 24.0 was set for lek@2, but the scores are from lek@2.1. Go back'
        " to lek@2, where `lem compare lek@2 lek@2.1` shows what would change, or set a gate for"
        " lek@2.1: its threshold, and `calibrated: lek@2.1` - at `$.gate`"
    )


def test_a_gate_may_be_set_for_another_scorer_as_a_whole(tmp_path: Path) -> None:
    old = "scorer: lek@2, threshold: 24.0, calibrated: lek@2"
    path = changed(tmp_path, old, "scorer: lek@2.1, threshold: 18, calibrated: lek@2.1")

    gate = load(path).phase("1").gate

    assert (gate.scorer, gate.threshold, gate.calibrated) == ("lek@2.1", 18.0, "lek@2.1")


def test_without_a_threshold_any_scorer_may_stand_there(tmp_path: Path) -> None:
    path = changed(tmp_path, "scorer: lek@2, threshold: null", "scorer: lek@9, threshold: null")

    assert load(path).phase("0").gate.scorer == "lek@9"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("threshold: 24.0", "threshold: high", r'phase "1": Expected .* - at `\$.gate.threshold`'),
        ("threshold: 24.0", "threshold: .nan", r'phase "1": .* - at `\$.gate.threshold`'),
        ("scorer: lek@2", "scorer: lek", r'phase "0": .* - at `\$.gate.scorer`'),
        ("24.0, calibrated: lek@2,", "24.0,", r"24\.0 does not say .*; write `calibrated: lek@2`"),
        ("24.0, calibrated: lek@2,", "24.0, calibrated: null,", r"write `calibrated: lek@2`"),
        ("calibrated: lek@2", "calibrated: lek", r'phase "1": .* - at `\$.gate.calibrated`'),
        ("outcomes: [ok]", "outcomes: [fine]", r"Invalid enum value 'fine' - at `\$.gate.outcomes"),
        ("outcomes: [ok]", "outcomes: []", r"length >= 1 - at `\$.gate.outcomes`"),
        ("leak_words: 12", "leak_words: 0", r">= 1 - at `\$.gate.leak_words`"),
        ("review_share: 1.0", "review_share: 1.5", r"<= 1.0 - at `\$.gate.review_share`"),
        ("review_share: 1.0", "reviews: 1.0", r"unknown field `reviews` - at `\$.gate`"),
        ("samples: 10", "samples: 0", r"`int` >= 1 - at `\$.samples`"),
        ("samples: 10", "", r"missing required field `samples`"),
        ("top_p: 0.95", "topp: 0.95", r"unknown field `topp` - at `\$.sampling`"),
        ("temperature: 0.9", "temperature: -1", r">= 0.0 - at `\$.sampling.temperature`"),
        ("words: [200, 3000]", "words: [9, 3]", r"\[least, most\], got \[9, 3\] - at `\$.gate`"),
        ("languages: [en]", "languages: [English]", r"- at `\$.gate.languages\[0\]`"),
        ("names_axioms: false", "best: 0", r">= 1 - at `\$.gate.best`"),
        ("title: Baseline lock", "held_out: [a]", r'write "held_out" beside "phases"'),
        ("max_tokens: 4096", "max_tokens: 0", r">= 1 - at `\$.sampling.max_tokens`"),
        ("train: 90", "train: 80", r"add up to 100, got 90 - at `\$.split`"),
        (
            "examples: 500, words: [1000,",
            "examples: 500, words: [9000,",
            r"\[least, most\], got \[9000, 3000\] - at `\$.target`",
        ),
        ("5.0e-6", "5e-6", r"Expected `float`, got `str` - at `\$.training.learning_rate`"),
        ("optimizer: adam", "optimizer: adams", r"'adams' - at `\$.training.optimizer`"),
        ("dropout: 0.05", "dropout: 5", r"<= 1.0 - at `\$.training.lora.dropout`"),
        ("title: Baseline lock", "name: zero", r'phase "0": its key is its name'),
        ("probes: [creative]", "probes: creative", r"got `str` - at `\$.probes`"),
    ],
)
def test_a_wrong_value_is_told_with_phase_and_path(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = changed(tmp_path, old, new)

    with pytest.raises(ConfigError, match=told) as caught:
        load(path)
    assert str(caught.value).startswith(f'{path}: phase "')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("phases:\n  a: [1\n  b: 2\n", r":3 is not YAML: "),
        ("phases:\n\ta: 1\n", r":2 is not YAML: "),
        ("phases:\n  a: 1\n  a: 2\n", r':3 is not YAML: the key "a" stands twice'),
        ("", r' holds no phases; it needs a mapping "phases"'),
        ("[1, 2]", r" holds no phases;"),
        ("phases: {}", r" holds no phases;"),
        ("phases: {a: 1}\nphase: 2", r' has an unknown key "phase"'),
        ("phases: {a: 1}\nheld_out: core", r': "held_out" is not a list of probe sets: '),
        ("phases: {a: 1}", r': phase "a": Expected `object`, got `int`'),
    ],
)
def test_a_broken_file_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "curriculum.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=told) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml can't be read: No such file"):
        load(tmp_path / "none.yaml")


def test_a_phase_needs_no_quotes_round_its_number(tmp_path: Path) -> None:
    assert load(changed(tmp_path, '"1":', "1:")).phase("1") == SHIPPED.phase("1")


def test_the_header_explains_every_key_of_a_phase() -> None:
    text = (SEEDS / "curriculum.yaml").read_text(encoding="utf-8")
    header = text.split("phases:", 1)[0]
    sections = yaml.safe_load(text)["phases"]["0"]
    keys = [*sections, *sections["gate"], *sections["sampling"], *sections["split"]]

    assert [key for key in keys if key not in header] == []
