"""What a scorer is, and what it says about a text."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import msgspec


class Text(NamedTuple):
    """What is scored: a response, and the prompt that it answers."""

    response: str
    prompt: str = ""
    """Empty where it is not known; most scorers don't look at it."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer says about one text."""

    score: float
    """In the scorer's own range."""

    signals: dict[str, float]
    """What was counted, before weights and caps."""


class Hit(NamedTuple):
    """Where a rule fired, for people to see."""

    signal: str
    """As in `Score.signals`."""

    rule: str
    """What was looked for, as its definition has it."""

    start: int
    """In characters of the response."""

    end: int
    """Behind the last one."""


class Sought(NamedTuple):
    """A single rule, as hits name it."""

    signal: str
    """As in `Score.signals`."""

    rule: str
    """As in `Hit.rule`."""


class Fired(NamedTuple):
    """Which of some rules fired in some texts."""

    fired: set[Sought]
    """Those that led to a hit."""

    met: set[Sought]
    """Those that match, alone, where they are counted, whether or not they led to a hit."""


class Fixture(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A text, and what its author expects a scorer to say of it."""

    text: str
    """The response."""

    score: float
    """To two decimals."""

    signals: dict[str, float] = {}
    """Those that matter here; what is not named may be anything."""

    prompt: str = ""
    """What the text answers, for a scorer that looks at it."""


class Scorer(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a scorer."""

    name: str
    """As `lek`."""

    version: str
    """As `2` or `2-distill`."""

    definition: str
    """SHA-256 over all that a score depends on; stands in every event that it leads to."""

    summary: str
    """One sentence for `lem scorers`."""

    source: dict[str, Any] = {}
    """What it is made of, for people; of a table the whole definition."""

    function: Callable[[Sequence[Text]], list[Score]]
    """A score for each text, in their order; the same text always gets the same one."""

    hits: Callable[[str], list[Hit]] | None = None
    """Where in a response its rules fire; none where a scorer has no such places."""

    rules: tuple[Sought, ...] = ()
    """Every rule that a hit can name; none where a scorer has no such rules."""

    fired: Callable[[Sequence[str], Collection[Sought]], Fired] | None = None
    """Which of these rules fire in responses; quicker than their hits, and the same."""

    fixtures: tuple[Fixture, ...] = ()
    """For `lem scorers test`; they don't define the scorer."""

    @property
    def label(self) -> str:
        """Name and version, as `lek@2`: a score is never said without both."""
        return f"{self.name}@{self.version}"

    def one(self, response: str, prompt: str = "") -> Score:
        """The score of a single text."""
        return self.function([Text(response, prompt)])[0]
