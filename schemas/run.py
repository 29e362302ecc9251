"""A run was opened: one phase, asked of one model under one condition."""

from typing import ClassVar

import msgspec

from schemas.base import Fact
from schemas.request import Arrangement, Sampling


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's prompts are surrounded by, whole, so that the log explains itself."""

    name: str
    """The file's name, as `lek-1.json`; of a sandwich `sandwich:lek-1.json`."""

    digest: str
    """SHA-256 of the text, or of both texts of a sandwich; 64 hexadecimal digits."""

    text: str
    """The text that the model was given: as the system message, in a sandwich behind the prompt."""

    axioms: str | None = None
    """The system message of a sandwich; none where the text itself is the system message."""

    @property
    def arrangement(self) -> Arrangement:
        """Where the text stands."""
        return "system" if self.axioms is None else "sandwich"


class Started(Fact, frozen=True, kw_only=True, tag="started"):
    """A run was opened, or taken further with more samples or probes.

    The run's id names what is asked of whom (phase, model, kernel, sampling), not how often:
    more samples later continue the same run.
    """

    identity: ClassVar[tuple[str, ...]] = ("run", "samples", "requests", "retries", "attempt")

    phase: str
    """The curriculum phase, as `1` or `demo`."""

    model: str
    """The model URL, as `mlx:mlx-community/gemma-3-1b-it-qat-4bit`."""

    sampling: Sampling
    """How answers are drawn."""

    kernel: Kernel | None
    """What surrounds the prompts; none where they are asked alone."""

    samples: int
    """How often each prompt is asked."""

    requests: int
    """How many requests this plan names; an earlier plan of the run may have made some of them."""

    retries: int = 0
    """How many of them ask again what ended in an error before."""

    attempt: int = 0
    """The highest attempt among them: how often the stubbornest error was met so far."""
