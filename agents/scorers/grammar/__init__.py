"""`grammar@3`: how varied a text's verbs, nouns and tenses are, and whether it asks.

It knows about 200 verbs and 70 nouns and guesses the rest from their endings. Its faults are part
of it, since old scores can only be reproduced with them: nearly every word in -s is a plural, and
a word before a full stop is unknown. What mends them is another version.

With a prompt it also says how far the response goes beyond it.
"""

from agents.scorers.base import Scorer
from agents.scorers.fixtures import FIXTURES
from agents.scorers.grammar.formula import definition, function

__all__ = ["SCORERS"]

SCORERS: tuple[Scorer, Scorer] = (
    Scorer(
        name="grammar",
        version="3",
        definition=definition("as_run"),
        summary="How varied a text's verbs, nouns and tenses are, and whether it asks; 0 to 100.",
        function=function("as_run"),
        fixtures=FIXTURES["grammar@3"],
    ),
    Scorer(
        name="grammar",
        version="3-initialised",
        definition=definition("initialised"),
        summary="As grammar@3, with the words that its reference lists but never loaded.",
        function=function("initialised"),
        fixtures=FIXTURES["grammar@3-initialised"],
    ),
)
