"""How `grammar@3` reads words: rule by rule, with cases of our own."""

import sys

import pytest

from agents.scorers.grammar import inflection, readings
from agents.scorers.grammar.lexicon import lexicon
from agents.scorers.grammar.tables import TABLES
from agents.scorers.grammar.tokens import tokens

KNOWN = lexicon("as_run")
BLANKS = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B)))
BLANKS += "\u2028\u2029\u202f\u205f\u3000"


@pytest.mark.parametrize(
    ("base", "past", "gerund"),
    [
        ("walk", "walked", "walking"),
        ("hope", "hoped", "hoping"),
        ("agree", "agreed", "agreeing"),
        ("dye", "dyed", "dyeing"),
        ("tie", "tied", "tying"),
        ("cry", "cried", "crying"),
        ("play", "played", "playing"),
        ("stop", "stopped", "stopping"),
        ("plan", "planned", "planning"),
        ("open", "opened", "opening"),
        ("look", "looked", "looking"),
        ("fix", "fixed", "fixing"),
        ("visit", "visited", "visiting"),
        ("bred", "bred", "bredding"),
        ("kindred", "kindred", "kindreding"),
        ("be", "was", "being"),
        ("refer", "referred", "referring"),
        ("split", "split", "splitting"),
        ("omit", "omitted", "omitting"),
        ("\u00e9ab", "\u00e9abbed", "\u00e9abbing"),
        ("\u00e9bab", "\u00e9babed", "\u00e9babing"),
    ],
)
def test_a_verb_is_inflected(base: str, past: str, gerund: str) -> None:
    assert (inflection.past(base), inflection.gerund(base)) == (past, gerund)


@pytest.mark.parametrize(
    ("base", "plural"),
    [
        *(("dog", "dogs"), ("bus", "buses"), ("box", "boxes"), ("dish", "dishes")),
        *(("city", "cities"), ("day", "days"), ("y", "ys"), ("roof", "rooves"), ("safe", "saves")),
        *(("hero", "heroes"), ("photo", "photos"), ("child", "children"), ("sheep", "sheep")),
    ],
)
def test_a_noun_is_inflected(base: str, plural: str) -> None:
    assert inflection.plural(base) == plural


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        *(("read", ("read", "base")), ("ran", ("run", "past")), ("putting", ("put", "gerund"))),
        *(("tried", ("try", "past")), ("tied", ("ty", "past")), ("dying", ("dy", "gerund"))),
        *(("hoped", ("hope", "past")), ("needed", ("neede", "past")), ("need", ("nee", "past"))),
        *(("hopped", ("hop", "past")), ("thing", ("th", "gerund")), ("making", ("make", "gerund"))),
        *(("red", ("r", "past")), ("stoped", ("stope", "past")), ("seeing", ("see", "gerund"))),
        *(("eing", ("e", "gerund")), ("a\u00e9ed", ("a\u00e9", "past"))),
        *(("ed", None), ("ing", None), ("runs", None), ("done", None), ("are", None)),
    ],
)
def test_a_word_is_traced_to_its_verb(word: str, verb: tuple[str, str] | None) -> None:
    assert inflection.verb(word, KNOWN.verbs) == verb


@pytest.mark.parametrize(
    ("word", "base"),
    [
        *(("dogs", "dog"), ("this", "thi"), ("cities", "city"), ("movies", "movy")),
        *(("classes", "class"), ("houses", "hous"), ("wolves", "wolf"), ("people", "person")),
        *(("ves", "ve"), ("ies", "ie"), ("s", None), ("roofs", None), ("childs", None)),
        *(("class", None), ("dog", None)),
    ],
)
def test_a_word_is_traced_to_its_noun(word: str, base: str | None) -> None:
    assert inflection.noun(word, KNOWN.nouns) == ((base, True) if base else None)


def test_every_listed_verb_is_found_by_each_form() -> None:
    listed = TABLES.verbs
    bases = (*listed.past, *listed.doubled, *listed.regular, *listed.initialised)
    known = lexicon("initialised").verbs

    assert len(bases) == 176
    assert {known[form].base for form in map(inflection.past, bases)} == set(bases)
    assert {known[form].base for form in map(inflection.gerund, bases)} == set(bases)


@pytest.mark.parametrize(
    ("piece", "parts"),
    [
        *(("so,", ["so", ","]), ("so...", ["so", "..."]), ("so?!", ["so?", "!"]), ("?", ["?"])),
        *(("??", ["?", "?"]), ("...", ["..."]), ("....", [".", "..."]), ("so.", ["so."])),
        *(("(so);", ["(so)", ";"]), ("So\u2026", ["so\u2026"]), ("", [])),
    ],
)
def test_one_mark_is_taken_off_a_piece(piece: str, parts: list[str]) -> None:
    assert [token.text for token in tokens(piece, "as_run")] == parts


@pytest.mark.parametrize("beside", ["", "\x1c"])
def test_only_the_blanks_of_the_reference_part_words(beside: str) -> None:
    every = map(chr, range(sys.maxunicode + 1))

    assert [one for one in every if len(readings.pieces(f"a{one}{beside}b")) == 2] == list(BLANKS)


def test_lower_case_is_made_character_by_character() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]

    assert readings._lower("".join(every)) == "".join(map(readings._lower, every))
    assert [one for one in every if len(readings._lower(one)) != 1] == []
    assert tokens("\u0130S A\u03a3", "as_run")[0].text == "is"
    assert tokens("\u0130S A\u03a3", "as_run")[1].text == "a\u03c3"


@pytest.mark.parametrize(
    ("text", "place", "kind", "confidence"),
    [
        ("run", 0, "verb", 1),
        ("maybe run", 1, "verb", 0.55),
        ("the run", 1, "noun", 0.35 / 0.37),
        ("will run", 1, "verb", 1),
        ("maybe run the", 1, "verb", 1),
        ("maybe run no", 1, "verb", 1),
        ("maybe run was", 1, "noun", 0.25 / 0.27),
        ("maybe run build", 1, "verb", 0.55),
        ("was it run", 2, "noun", 0.10 / 0.12),
        ("was it, run", 3, "verb", 0.55),
        ("was it and run", 3, "verb", 0.55),
        ("run it, maybe check it was", 4, "noun", 0.10 / 0.12),
        ("run maybe build", 2, "noun", 0.10 / 0.12),
        ("the run runs", 1, "noun", 0.35 / 0.55),
        ("the run, ran", 1, "noun", 0.38 / 0.40),
    ],
)
def test_a_word_in_doubt_is_settled(text: str, place: int, kind: str, confidence: float) -> None:
    found = tokens(text, "initialised")[place]

    assert found.kind == kind
    assert found.confidence == pytest.approx(confidence)
    assert found.other == pytest.approx(1 - confidence)
