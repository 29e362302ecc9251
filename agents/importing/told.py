"""What a row of a file can tell: a probe, a response to one, or a score of a response."""

import msgspec

from schemas import Kernel, Sampling
from schemas.probe import RephrasingKind
from streams.ids import digest

UNKNOWN = "import:unknown"
"""The model of a response whose file does not say which one it was."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A probe as a file has it; its id may be missing, or be that of another prompt too."""

    prompt: str
    """Without blanks at its ends."""

    id: str | None = None
    """The file's own."""

    domain: str = "uncategorised"
    """The field it belongs to."""

    language: str = "en"
    """BCP 47 tag; `und` where the prompt is not English and nothing says what it is."""

    rephrasing_of: str | None = None
    """The original's id, where it is known to be put in another way."""

    kind: RephrasingKind | None = None
    """In which way."""

    voice: str | None = None
    """Who speaks in it."""

    region: str | None = None
    """The part of the world that it is set in."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A score as it was recorded, by whatever gave it."""

    scorer: str
    """As `recorded@1`; it says where the number stood, not how it was found."""

    score: float
    """As it stood there."""

    signals: dict[str, float] = {}
    """What was counted, where that was recorded too."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A response that a file recorded, and what it was the response to."""

    probe: Probe
    response: str
    model: str = UNKNOWN
    kernel: Kernel | None = None
    sampling: Sampling = Sampling()
    sample: int = 0
    seconds: float = 0.0
    scores: tuple[Score, ...] = ()


class LooseScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score whose response stands in another file."""

    probe: str
    model: str
    score: Score


Told = Probe | Recorded | LooseScore


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a row can't say of itself."""

    stem: str
    """The file's name without its ending."""

    summary: dict[str, object]
    """The summary line that the row belongs to; empty without one."""


def model(name: str | None) -> str:
    """The URL of a model of the past; none opens it, so that nobody asks it by mistake."""
    return f"import:{name}" if name else UNKNOWN


def kernel(name: str) -> Kernel:
    """A kernel of which only the name is known; its digest tells it from others, no more."""
    return Kernel(name=name, digest=digest(["import", "kernel", name]), text="")


UNRECORDED = kernel("unrecorded")
"""Where a file does not say whether there was a kernel: such rows must not pass for plain ones."""
