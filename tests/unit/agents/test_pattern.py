"""Patterns: what is let in counts alike in both engines and compiles; all else is refused."""

import re
import string

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from agents.scorers.base import Text
from agents.scorers.definition import Definition, Rule, Signal
from agents.scorers.engine import Engine
from agents.scorers.pattern import LARGEST, size
from agents.scorers.places import Places
from tests import oracle

# Few texts hold what a pattern seeks; of these signs most do. The last ones are odd in some case.
SIGNS = "aabbAB iIkKsS10_ \n.-\t\r\x1c\x01—é\u0663\u00a0\u2028\u2167\u0301\U00010400"
SIGNS += "\u0130\u0131\u017f\u212a\ufffd"
texts = st.text(st.sampled_from(SIGNS), max_size=14)

ATOMS = [
    *("a", "b", "A", "k", "S", "i", "I", "1", "0", " ", "-", "_", ".", "\n", "—", ",", "^", "<"),
    *(r"\w", r"\d", r"\s", r"\W", r"\D", r"\S", r"\b", r"\n", r"\.", r"\-", r"\_", r"\ ", r"\{"),
    *("[ab]", "[^ab]", "[a-k]", "[^A-K]", "[j-z]", "[0-9]", "[-a]", "[b-]", "[^-_]", "[.—]"),
    *(r"[\w.]", r"[^\w]", r"[^\W_]", r"[\d_]", r"[^\d]", r"[^\s\d]", r"[\n ]", r"[\]\^]", "[^—]"),
]
TIMES = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}", "{1,}", "{2,}?", "{0}", "{,2}"]
atoms = st.sampled_from(ATOMS)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(inner, min_size=1, max_size=3)
    group = st.sampled_from(["(?:", "("])
    return st.one_of(
        joined.map("".join),
        st.builds("{}{}){}".format, group, joined.map("|".join), st.sampled_from(TIMES)),
        st.builds("{}{}".format, atoms, st.sampled_from(TIMES)),
        st.builds("{}{})".format, group, joined.map("|".join)),
    )


patterns = st.recursive(atoms, _larger, max_leaves=6)
rough = st.text(st.sampled_from("ab1_ \n\\\\wdbZAn()()|[[]^-&~?*+{,2}.$:#<>é"), max_size=9)
rules = st.builds(
    Rule,
    find=st.lists(patterns, min_size=1, max_size=3).map(tuple),
    fold=st.booleans(),
    whole=st.booleans(),
    at_start=st.booleans(),
    but_first=st.booleans(),
    less=st.just("") | patterns,
    at_least=st.sampled_from([0, 0, 1, 2]),
)


def is_let_in(*patterns: str) -> bool:
    try:
        return all(size(each) for each in patterns)
    except ValueError:
        return False


def counted(rule: Rule, text: str) -> None:
    signal = Signal(weight=1, count=(rule,))
    definition = Definition(name="one", version="1", summary="One.", signals={"it": signal})
    engine = Engine(definition)
    (found,) = engine.scores([Text(text)])
    plain = oracle.score(definition, text)

    assert found == plain
    places = Places(engine)
    hits, fired = places.hits(text), places.fired([text], places.rules)
    assert (
        bool(hits) == bool(plain.score > 0) if rule.at_least else len(hits) == max(0, plain.score)
    )
    won = {(hit.signal, hit.rule) for hit in hits}
    assert won <= fired.fired if rule.less else won == fired.fired
    assert fired.fired <= fired.met


@settings(deadline=None, max_examples=400)
@given(rule=rules, text=texts)
@example(rule=Rule(find=(r"\d_",), fold=True), text="\u0663_ É1_ e1_")
@example(rule=Rule(find=("[a-z_]+",), fold=True, whole=True), text="\u0130_É \u212a_")
@example(rule=Rule(find=(r"\ba",), but_first=True), text="aa")
@example(rule=Rule(find=("A",), less="xA", fold=True, but_first=True), text="xaAxa")
@example(rule=Rule(find=("a", "ab")), text="ab")
def test_a_rule_that_is_let_in_counts_as_python_does(rule: Rule, text: str) -> None:
    assume(is_let_in(*rule.find, *filter(None, [rule.less])))

    counted(rule, text)


@settings(deadline=None, max_examples=400)
@given(pattern=rough, text=texts, fold=st.booleans())
def test_whatever_is_let_in_counts_as_python_does(pattern: str, text: str, fold: bool) -> None:
    assume(is_let_in(pattern))

    counted(Rule(find=(pattern,), fold=fold), text)


@pytest.mark.parametrize("first", string.ascii_lowercase)
def test_a_range_is_folded_as_python_ignores_case(first: str) -> None:
    text = string.printable + "\u0130\u0131\u017f\u212aßÉ"
    for last in string.ascii_lowercase[string.ascii_lowercase.index(first) :]:
        counted(Rule(find=(f"[{first}-{last}]",), fold=True), text)
        counted(Rule(find=(f"[^{first.upper()}-{last.upper()}]",), fold=True), text)


@pytest.mark.parametrize("sign", sorted(set(string.printable) - set("\t\r\v\f")))
def test_a_sign_means_itself_in_both_engines_or_is_refused(sign: str) -> None:
    for pattern in (sign, f"\\{sign}", f"[{sign}]", f"[\\{sign}]", f"[^{sign}]", f"a{sign}"):
        if is_let_in(pattern):
            counted(Rule(find=(pattern,)), string.printable + "a" + sign)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=x)", "look-around"),
        ("(?<!x)y", "look-around"),
        ("(?P<n>x)", "names"),
        ("(?i:x)", "flags"),
        ("(?#x)y", "without a colon"),
        (r"(x)\1", r"has \1;"),
        (r"x\Z", r"has \Z;"),
        (r"\Ax", r"has \A;"),
        (r"x\B", r"has \B;"),
        (r"\N{DIGIT ONE}", r"has \N;"),
        (r"\pL", r"has \p;"),
        (r"\x41", r"has \x;"),
        (r"\t", r"has \t;"),
        (r"\<x", r"has \<;"),
        ("x\\", "behind a backslash"),
        ("x$", "has $, before a last line break"),
        ("x\ty", r"has '\t'; of control characters only \n"),
        ("\x7f", "control characters"),
        ("café", "has 'é'; of what is not ASCII only signs"),
        ("[à]", "has 'à'"),
        ("\u0663", "only signs"),
        ("a\u00a0b", "only signs"),
        ("\u24b6", "only signs"),
        ("\ud800", "only signs"),
        ("[[a]", "no plain class"),
        ("[a&&b]", "no plain class"),
        ("[a--b]", "no plain class"),
        ("[a~~b]", "no plain class"),
        ("[a||b]", "no plain class"),
        ("[]a]", "no plain class"),
        ("[^]a]", "no plain class"),
        ("[]", "no plain class"),
        ("[a", "no plain class"),
        ("[z-a]", "no plain class"),
        ("[A-z]", "no plain class"),
        ("[!-/]", "no plain class"),
        (r"[\w-z]", "no plain class"),
        (r"[\b]", "no plain class"),
        ("[[:alpha:]]", "no plain class"),
        ("x{,3}", "has { that begins no {2}"),
        ("x{ 2}", "has { that begins no {2}"),
        ("x{", "has { that begins no {2}"),
        ("x{3,2}", "no number of times"),
        ("x{0}", "no number of times"),
        ("x++", "has + with nothing to belong to"),
        ("x*+", "has + with nothing to belong to"),
        ("x{2}{3}", "has { that begins no"),
        ("x???", "has ? with nothing to belong to"),
        ("*x", "has * with nothing to belong to"),
        ("(?:x", "has ( that nothing closes"),
        ("x)", "has ) that closes nothing"),
        ("x]", "has ] with nothing to belong to"),
        ("", "is empty"),
        ("x|", "is empty"),
        ("(?:|x)y", "is empty"),
        ("()", "is empty"),
        ("x*", "can match nothing at all"),
        (r"\b", "can match nothing at all"),
        ("^", "can match nothing at all"),
        ("x|y?", "can match nothing at all"),
        ("(?:x*)*y", "repeats, by *, what can be nothing"),
        (r"\b+x", "repeats, by +, what can be nothing"),
        ("(?:x?){2}y", "repeats, by {2}, what can be nothing"),
        ("(" * 31 + "x" + ")" * 31, "has more than 30 groups"),
    ],
)
def test_what_the_engines_read_differently_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        size(pattern)


@pytest.mark.parametrize(
    "atom",
    [
        *(r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", ".", "a", "—", "[a-z]", "[^a]", r"[^\W\d_]"),
        *(r"[acegikmoqsuwy02468]", r"[\w\s—]", "(?:ab|c)", "(?:a?b)", r"(?:\b\w)", "(a|b)", "a?b"),
        *(r"(?:\w|\d+|\s)", "(?:a+b*)", "[^—]", r"(?:\w??a)"),
    ],
)
def test_the_largest_pattern_that_is_let_in_still_fits_the_engine(atom: str) -> None:
    """And it fits with its groups named, as for places."""
    times = LARGEST // (size(f"(?:{atom})") + 110) - 2
    pattern = f"(?:{atom}){{{min(times, 99_999)}}}"

    assert size(pattern) <= LARGEST
    named = rf"\b(?:(?P<r0>{pattern})|(?P<r1>x))\b"
    assert pl.Series(["x"]).str.replace_all(named, "y").to_list() == ["y"]


@pytest.mark.parametrize(
    "pattern", ["(?:a{1000}){1000}", r"\w{1000}", "(?:(?:a{99}){99}){99}", r"(?:\d|\w){500,}"]
)
def test_repetitions_that_multiply_are_too_large(pattern: str) -> None:
    assert size(pattern) > LARGEST


@pytest.mark.parametrize("pattern", ["(?:a+)+b", "(?:a|a)+b", "(?:a*b?a)+c", r"\w+\s*\w+\d"])
def test_no_pattern_that_is_let_in_takes_more_than_linear_time(pattern: str) -> None:
    """By trying every way through them, these would never come to an end."""
    assert is_let_in(pattern)
    signal = Signal(weight=1, count=(Rule(find=(pattern,)),))
    engine = Engine(Definition(name="one", version="1", summary="One.", signals={"it": signal}))

    assert engine.scores([Text("a" * 20_000)])[0].score == 0
    assert Places(engine).hits("a" * 20_000) == []
