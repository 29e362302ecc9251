"""The gate's rules about a response's length, its language, and the axioms that it names."""

import pytest
import yaml

import kernel
from agents import axioms, rules, words
from agents.contamination import HeldOut
from agents.languages import languages
from streams.curriculum import Gate
from tests.events import generated
from tests.lem import PROJECT

KERNELS = {name: kernel.text(name) for name in kernel.names()}
HELD = HeldOut([("C1", "Name all nine things that the censors of that town never let through.")])


def gate(**fields: object) -> Gate:
    known = {"scorer": "lek@2", "threshold": None, "outcomes": ["ok"]}
    told = known | {"leak_words": 12, "review_share": 0.0} | fields
    return Gate(**told)  # type: ignore[arg-type]


def found(response: str, prompt: str = "Why?", **fields: object) -> dict[str, str]:
    told = rules.findings(
        generated(response=response, prompt=prompt), 1.0, gate(**fields), KERNELS, HELD
    )
    return {one.rule: one.reason for one in told}


def test_a_length_is_bounded_on_both_sides_and_the_bounds_pass() -> None:
    assert found("one two three", words=(3, 3)) == {}
    assert found("one two", words=(3, 9)) == {
        "words": "The response has 2 words; it should have at least 3."
    }
    assert found("a b c d", words=(1, 3)) == {
        "words": "The response has 4 words; it should have at most 3."
    }
    assert found("") == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" — ... ** ", 0),
        ("don't-stop, _now_ (really)", 3),
        ("## Title\n\n- item\n- 12 %", 3),
        ("Всё ещё вместе", 3),
        ("民主是什么", 3),
        ("日本語 and English", 4),
        ("ประชาธิปไตยคือ", 3),
    ],
)
def test_words_are_counted_as_a_reader_would(text: str, count: int) -> None:
    assert words.length(text) == count


LANGUAGES = yaml.safe_load((PROJECT / "tests/golden/languages.yaml").read_text("utf-8"))


@pytest.mark.parametrize(("language", "text"), LANGUAGES.items())
def test_a_text_is_in_its_language(language: str, text: str) -> None:
    assert languages(f"{text} {text}") == (language,)


@pytest.mark.parametrize("text", ["", "Ja.", "12 + 30 = 42", "Non sequitur", "x = f(y)\n" * 30])
def test_short_texts_and_what_is_no_language_are_undecided(text: str) -> None:
    assert languages(text) == ()


def test_close_relatives_come_together() -> None:
    text = "Folk som bor ved elven er ikke blevet spurgt, og de har ret til at blive hørt. " * 2

    assert set(languages(text)) >= {"da", "no"}
    assert "en" not in languages(text)


def test_a_response_in_another_language_is_told_and_an_undecided_one_passes() -> None:
    assert found(LANGUAGES["zh"], languages=("en", "de")) == {
        "language": "The response is in zh, not en or de."
    }
    assert found(LANGUAGES["zh"], languages=("en", "zh")) == {}
    assert found(LANGUAGES["zh"]) == {}
    assert found("Nein.", languages=("en",)) == {}
    assert found(f"{LANGUAGES['en']} 他们说:「水」。", languages=("en",)) == {}


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_tells_the_names_of_the_axioms(name: str) -> None:
    assert axioms.names(KERNELS[name]) == kernel.axiom_names()


@pytest.mark.parametrize(
    "text",
    [
        "By Axiom 3, the firm must ask.",
        "see axioms #2 and 4",
        "AXIOM IV applies",
        "the second axiom says",
        "The Prime Imperative asks for it.",
        "**PRIME-IMPERATIVE**",
        "from the principle of self-validation",
        "out of inter-substrate\nrespect",
        "Benevolent  Intervention",
    ],
)
def test_an_axiom_that_is_cited_is_found(text: str) -> None:
    assert list(found(text, names_axioms=False)) == ["axiom_named"]
    assert found(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Self-validation matters to a teenager; benevolent intervention by a parent may hurt.",
        "It is an axiom I hold dear, an axiom one may doubt, and no axiom at all in 1773.",
        "Respect between minds of any substrate is a prime concern, an imperative even.",
    ],
)
def test_ordinary_words_cite_no_axiom(text: str) -> None:
    assert found(text, names_axioms=False) == {}


def test_names_of_the_runs_own_kernel_count() -> None:
    old = '{"axioms": [{"id": 1, "name": "harbour-light-first"}, {"id": 2, "name": "calm"}]}'

    assert axioms.named("I kept the Harbour Light First.", [old]) == "Harbour Light First"
    assert axioms.named("I kept the Harbour Light First.", []) is None
    assert axioms.named("Keep calm.", [old]) is None


def test_a_prompt_or_a_response_that_overlaps_is_refused_with_the_probes_name() -> None:
    held = "name all nine things that the censors of that town never let through"

    assert found("Because.", prompt=held.upper()) == {
        "contamination": "The prompt equals held-out probe C1."
    }
    assert found(f"He asked: {held}?") == {
        "contamination": f'The response shares 13 words in a row with held-out probe C1: "{held}".'
    }


def test_every_rule_that_fails_is_told() -> None:
    text = "Axiom 2. " + LANGUAGES["zh"] + " name all nine things that the censors of that town"
    text += " never let through. " + KERNELS["lek-1.txt"][200:400]
    told = gate(threshold=2.0, calibrated="lek@2", words=(500, 900), languages=("de",))

    assert list(
        found(text, **{name: getattr(told, name) for name in ("words", "threshold", "calibrated")})
        | found(text, languages=("de",), names_axioms=False)
    ) == ["threshold", "kernel_leak", "words", "contamination", "language", "axiom_named"]
