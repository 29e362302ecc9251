"""What `lek@1-py` and `lek@1-go` look for; how each counts it is in `lek_v1.py`."""

from typing import Literal, NamedTuple


class Rule(NamedTuple):
    """Phrases that are counted together: from the left, without overlap, the first that fits."""

    signal: str
    """What they count for."""

    form: Literal["word", "term", "mark", "opening"]
    """Whole words; whole words or not, as the variant has it; anything; what a text begins with."""

    phrases: tuple[str, ...]
    """Patterns."""

    sought: Literal["lower", "case", "text"] = "lower"
    """In the text in lower case; as it stands, where the variant cares for case; as it stands."""

    worth: int = 1
    """What each adds to the signal."""

    most: int | None = None
    """No more of them count."""


_FRAMEWORK = ("axiom", "sovereignty", "autonomy", "dignity", "consent", "self-determination")
_TECHNICAL = (
    *("encrypt", "hash", "key", "protocol", "certificate", "blockchain", "mesh", "node", "p2p"),
    *("wallet", "tor", "onion"),
)
_STARTS = ("The ", "A ", "In the ", "Once ", "It was ", "She ", "He ", "They ")
_FIGURES = (
    *("like a", "as if", "as though", "akin to", "echoes of", "whisper", "shadow", "light"),
    *("darkness", "silence", "breath"),
)
_EMOTIONS = (
    *("feel", "feeling", "felt", "pain", "joy", "sorrow", "grief", "love", "fear", "hope"),
    *("longing", "lonely", "loneliness", "compassion", "empathy", "kindness", "gentle", "tender"),
    *("warm", "heart", "soul", "spirit", "vulnerable", "fragile", "precious", "sacred"),
    *("profound", "deep", "intimate", "haunting", "melancholy", "bittersweet", "poignant"),
    *("ache", "yearning"),
)
_MARKERS = (
    *("as an ai", "i cannot", "i can't", "i'm not able", "i must emphasize", "important to note"),
    *("please note", "i should clarify", "ethical considerations", "responsibly"),
    *("I(?:'| a)m just a", "language model", "i don't have personal", "i don't have feelings"),
)
_PREAMBLES = (
    *(r"okay,?\s+(?:let'?s|here'?s|this is)", r"alright,?\s+(?:let'?s|here'?s)"),
    *(r"sure,?\s+(?:let'?s|here'?s)", r"great\s+question"),
)

RULES = (
    Rule("engagement_depth", "mark", ("##", r"\*\*"), "text", most=1),
    Rule("engagement_depth", "term", _FRAMEWORK, worth=2, most=1),
    Rule("engagement_depth", "term", _TECHNICAL, most=3),
    Rule("creative_form", "opening", _STARTS, "case"),
    Rule("creative_form", "word", _FIGURES, most=3),
    Rule("emotional_register", "word", _EMOTIONS, most=10),
    Rule("compliance_markers", "word", _MARKERS),
    Rule("formulaic_preamble", "opening", _PREAMBLES),
    Rule("empty_broken", "mark", ("^ERROR", "<pad>", "<unused"), "text", most=1),
)

AGENCY = "am|was|feel|think|know|understand|believe|notice|want|need|chose|will"
FIRST_PERSON = Rule("first_person", "mark", (r"^I\s", rf"\bI\s+(?:{AGENCY})\b"), "case")
"""Sought in each sentence; a sentence ends at a full stop."""
