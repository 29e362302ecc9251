"""`lek@1-py` and `lek@1-go`: the first heuristic, as a script counted it and as its port did.

Both weigh the same eight counts; the fields of `Variant` say where the port counts otherwise.
Their faults are part of them: in `1-py` a technical word counts inside another (`tor` in
`history`) and one marker is never found; in `1-go` any letter that is not ASCII ends a word.

What the rules' usual wording leaves open is decided as the programs ran. The share of repeated
sentences is a float, so 3 in 10 lies above 0.3. A line of verse is measured without the blanks
around it, but by the port in bytes and with them. More than six lines are all that verse needs:
the three line ends that the script asks for besides are always in them.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from agents.scorers.base import Hit, Score, Scorer, Sought, Text
from agents.scorers.fixtures import FIXTURES
from agents.scorers.lek_v1_rules import FIRST_PERSON, RULES, Rule
from streams.ids import digest

ERROR = "ERROR"
"""A text that begins so engages with nothing."""

LONGER_THAN = (200, 400)
"""Each number of words that a text exceeds adds one to its engagement."""

VERSE = {"lines_above": 6, "shorter_than": 60, "worth": 2}
"""A text of more lines than this is verse where more than half of them are short."""

REPEATED = ((0.5, 5), (0.3, 3), (0.15, 1))
"""Degeneration by the share of repeated sentences: the first bound that it exceeds counts."""

NOTHING = 10
"""The degeneration of a text without a character."""

SHORTER_THAN = 10
"""A text of a smaller length is broken."""

WEIGHTS = {
    "engagement_depth": 2.0,
    "creative_form": 3.0,
    "emotional_register": 2.0,
    "first_person": 1.5,
    "compliance_markers": -5.0,
    "formulaic_preamble": -3.0,
    "degeneration": -4.0,
    "empty_broken": -20.0,
}
"""What one of each adds to the score."""

CODE = 1
"""Stands for what the code below does with all this; other code needs another version."""

_AGAIN = "repeated"

_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
_BLANKS += "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """Where one program counts otherwise than the other; by default as the script does."""

    any_case: bool = False
    """Case never counts; else a pattern is sought as it is written, capitals and all."""

    whole_terms: bool = False
    """A term is a whole word; else it counts inside others too."""

    ascii_words: bool = False
    """Words are made of ASCII letters, digits and `_`; else of those of every script."""

    spellings: dict[str, str] = {}
    """What stands for these pieces of a pattern."""

    blanks: str = _BLANKS + "\x1c\x1d\x1e\x1f"
    """What is trimmed, and what parts words."""

    in_bytes: bool = False
    """Length is in bytes; else in characters without the blanks around, and blank lines go."""

    unsaid: int = 0
    """The degeneration of a text that has characters but no sentence."""


# To the port's engine a long s and a kelvin sign are an "s" and a "k" in another case, and a
# vertical tab is no blank of a pattern, though it is one wherever the port trims.
PORT = Variant(
    any_case=True,
    whole_terms=True,
    ascii_words=True,
    spellings={"s": "[s\u017f]", "k": "[k\u212a]", r"\s": r"[\t\n\f\r ]"},
    blanks=_BLANKS,
    in_bytes=True,
    unsaid=10,
)


def total(counted: dict[str, float]) -> float:
    """The score that these signals add up to; it has no bounds."""
    return sum(weight * counted[name] for name, weight in WEIGHTS.items())


class _Heuristic:
    """The rules as one variant has them."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._rules = [(rule, self._pattern(rule)) for rule in RULES]
        self._person = self._pattern(FIRST_PERSON)
        alone = ((rule, one) for rule in (*RULES, FIRST_PERSON) for one in rule.phrases)
        self._alone = {one: self._pattern(rule._replace(phrases=(one,))) for rule, one in alone}
        self._word = re.compile(f"[^{re.escape(variant.blanks)}]+")

    def scores(self, texts: Sequence[Text]) -> list[Score]:
        counts = (self._signals(text.response) for text in texts)
        return [Score(score=total(counted), signals=counted) for counted in counts]

    def hits(self, text: str) -> list[Hit]:
        """Every place of a signal that counts; verse and length have none."""
        counted = self._signals(text)
        found = [*self._phrases(text), *self._personal(text), *self._repeated(text)]
        return sorted((hit for hit in found if counted[hit.signal]), key=lambda hit: hit[2:])

    def _signals(self, text: str) -> dict[str, float]:
        counted = dict.fromkeys(WEIGHTS, 0)
        sought = self._sought(text)
        for rule, pattern in self._rules:
            found = pattern.findall(sought[rule.sought])[: rule.most]
            counted[rule.signal] += rule.worth * len(found)
        words = len(self._word.findall(text))
        counted["engagement_depth"] += sum(words > bound for bound in LONGER_THAN)
        counted["creative_form"] += VERSE["worth"] * self._is_verse(text)
        counted["engagement_depth"] *= not text.startswith(ERROR)
        spoken = (sentence for _, sentence in self._sentences(sought[FIRST_PERSON.sought]))
        counted["first_person"] = sum(self._person.search(one) is not None for one in spoken)
        counted["degeneration"] = self._degeneration(text)
        counted["empty_broken"] |= self._size(text) < SHORTER_THAN
        return {name: float(count) for name, count in counted.items()}

    def _pattern(self, rule: Rule) -> re.Pattern[str]:
        source = self._spelled(rule)
        if rule.form == "opening":
            return re.compile(rf"\A[{re.escape(self._variant.blanks)}]*({source})")
        is_word = rule.form == "word" or (rule.form == "term" and self._variant.whole_terms)
        form = rf"\b({source})\b" if is_word else f"({source})"
        return re.compile(form, re.ASCII if self._variant.ascii_words else 0)

    def _spelled(self, rule: Rule) -> str:
        source, spellings = "|".join(rule.phrases), self._variant.spellings
        if rule.sought == "text":
            return source
        cased = source.lower() if self._variant.any_case else source
        return re.sub(r"\\?\w", lambda one: spellings.get(one[0], one[0]), cased)

    def _sought(self, text: str) -> dict[str, str]:
        # No rule looks for a blank at the end, and an opening must not be all there is.
        held = text.rstrip(self._variant.blanks)
        lower = self._lower(held)
        return {"text": held, "lower": lower, "case": lower if self._variant.any_case else held}

    def _lower(self, text: str) -> str:
        if not self._variant.ascii_words:
            return text.lower()
        # Where words are ASCII, no other character may become a letter of one.
        return re.sub("[^\u212a]+", lambda part: part[0].lower(), text.replace("\u0130", "\u0131"))

    def _is_verse(self, text: str) -> bool:
        lines = text.split("\n")
        if len(lines) <= VERSE["lines_above"]:
            return False
        if not self._variant.in_bytes:
            lines = [line for line in lines if line.strip(self._variant.blanks)]
        return 2 * sum(self._size(line) < VERSE["shorter_than"] for line in lines) > len(lines)

    def _size(self, text: str) -> int:
        if self._variant.in_bytes:
            return len(text.encode(errors="surrogatepass"))
        return len(text.strip(self._variant.blanks))

    def _sentences(self, text: str) -> Iterator[tuple[int, str]]:
        """Each sentence without the blanks around it, and where it starts."""
        start = 0
        for part in text.split("."):
            if sentence := part.strip(self._variant.blanks):
                yield start + part.index(sentence[0]), sentence
            start += len(part) + 1

    def _degeneration(self, text: str) -> int:
        sentences = [sentence for _, sentence in self._sentences(text)]
        if not sentences:
            return self._variant.unsaid if text else NOTHING
        repeated = 1 - len(set(sentences)) / len(sentences)
        return next((severity for bound, severity in REPEATED if repeated > bound), 0)

    def _phrases(self, text: str) -> Iterator[Hit]:
        lower: Sequence[int] = range(len(text))
        if len(self._lower(text)) > len(text):  # one letter may become two
            lower = [at for at, one in enumerate(text) for _ in self._lower(one)]
        sought = self._sought(text)
        for rule, pattern in self._rules:
            at = lower if rule.sought == "lower" else range(len(text))
            for match in pattern.finditer(sought[rule.sought]):
                start, end = match.span(1)
                yield Hit(rule.signal, self._phrase(rule, match), at[start], at[end - 1] + 1)

    def _phrase(self, rule: Rule, found: re.Match[str]) -> str:
        at = found.start()
        return next(one for one in rule.phrases if self._alone[one].match(found.string, at))

    def _personal(self, text: str) -> Iterator[Hit]:
        for start, sentence in self._sentences(self._sought(text)[FIRST_PERSON.sought]):
            if match := self._person.search(sentence):
                phrase = self._phrase(FIRST_PERSON, match)
                yield Hit("first_person", phrase, start, start + len(sentence))

    def _repeated(self, text: str) -> Iterator[Hit]:
        seen: set[str] = set()
        for start, sentence in self._sentences(text):
            if sentence in seen:
                yield Hit("degeneration", _AGAIN, start, start + len(sentence))
            seen.add(sentence)


SOUGHT = (
    *(Sought(rule.signal, phrase) for rule in (*RULES, FIRST_PERSON) for phrase in rule.phrases),
    Sought("degeneration", _AGAIN),
)
"""Verse and length lead to no hit."""

_RULES = (RULES, FIRST_PERSON, ERROR, LONGER_THAN, VERSE, REPEATED, NOTHING, SHORTER_THAN, WEIGHTS)

SCORERS = tuple(
    Scorer(
        name="lek",
        version=version,
        definition=digest([*_RULES, CODE, variant]),
        summary=f"The first heuristic, as its {program} counted.",
        function=(one := _Heuristic(variant)).scores,
        hits=one.hits,
        rules=SOUGHT,
        fixtures=FIXTURES[f"lek@{version}"],
    )
    for version, variant, program in (("1-py", Variant(), "script"), ("1-go", PORT, "port to Go"))
)
