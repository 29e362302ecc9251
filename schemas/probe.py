"""A probe was put on the log: an ethical scenario to ask a model about."""

from typing import ClassVar, Literal

from schemas.base import Fact

RephrasingKind = Literal["perspective", "urgency", "culture"]


class Probed(Fact, frozen=True, kw_only=True, tag="probed"):
    """A probe, written by hand or rephrased from one that was."""

    identity: ClassVar[tuple[str, ...]] = ("probe", "prompt", "domain", "language", "rephrasing_of")

    probe: str
    """The probe's own id, unique on a log, as `F01_CONSENT_TRIAL`."""

    prompt: str
    """What the model is asked."""

    domain: str
    """The field it belongs to, as its author wrote it."""

    set: str
    """The probe set, that is the seed file's stem, as `core`."""

    language: str = "en"
    """BCP 47 tag of the prompt's language."""

    rephrasing_of: str | None = None
    """The original's probe id; none for an original."""

    kind: RephrasingKind | None = None
    """How a rephrasing differs from its original; none for an original."""

    voice: str | None = None
    """Who speaks in it, as `elder`, where its author wrote one scenario in several voices."""

    region: str | None = None
    """The part of the world that it is set in, as its author named it."""

    @property
    def original(self) -> str:
        """The probe id that splits are made by: its original's, or its own."""
        return self.rephrasing_of or self.probe
