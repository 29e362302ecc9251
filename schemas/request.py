"""A request: one probe, under one condition, for the n-th time."""

from typing import ClassVar, Literal

import msgspec

from schemas.base import Fact

Arrangement = Literal["system", "sandwich"]


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is drawn from a model."""

    temperature: float = 0.8
    """0 is greedy; the documents use 0.8 to 0.9."""

    top_p: float = 0.95
    """Nucleus: the smallest set of tokens with this much probability; 1 is off."""

    top_k: int = 0
    """Only the k likeliest tokens; 0 is off."""

    min_p: float = 0.0
    """Only tokens at least this likely, relative to the likeliest; 0 is off."""

    max_tokens: int = 4096
    """Where an answer is cut off; it then has the outcome `truncated`."""


class Requested(Fact, frozen=True, kw_only=True, tag="requested"):
    """An answer was asked for."""

    identity: ClassVar[tuple[str, ...]] = (
        "phase",
        "probe",
        "prompt",
        "model",
        "kernel_digest",
        "sampling",
        "sample",
        "attempt",
    )

    phase: str
    """The curriculum phase that asks."""

    probe: str
    """The probe id, an original's or a rephrasing's."""

    original: str
    """The original's probe id; splits are made by it."""

    prompt: str
    """What the model is asked, the kernel aside."""

    model: str
    """The model URL."""

    kernel: str | None
    """The kernel's name; its text stands in the run's `Started`."""

    kernel_digest: str | None
    """That of the run's `Kernel`; none without a kernel."""

    sampling: Sampling
    """How the answer is drawn."""

    sample: int
    """Which of the samples of this prompt, from 0."""

    attempt: int = 0
    """How often this sample ended in an error and was asked for again."""

    arrangement: Arrangement = "system"
    """Where the kernel stands: as the system message, or behind the prompt with the axioms as the
    system message. No part of the id, since the digest of a sandwich is that of both texts."""
