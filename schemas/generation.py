"""A model answered a request, or could not."""

from typing import ClassVar, Literal

from schemas.base import Fact

Outcome = Literal["ok", "empty", "truncated", "token_leak", "loop", "error"]
SystemRole = Literal["none", "system", "merged"]


class Generated(Fact, frozen=True, kw_only=True, tag="generated"):
    """The one answer to a request.

    The id follows from the request alone: a request has one generation, and an answer made
    twice (a crash between writing and committing) is told from it by its id.
    """

    identity: ClassVar[tuple[str, ...]] = ("request",)

    request: str
    """The id of the request."""

    phase: str
    """The request's phase."""

    probe: str
    """The request's probe."""

    original: str
    """The original's probe id."""

    prompt: str
    """What was asked, so that a generation can be read, scored and trained on alone."""

    model: str
    """The model URL that was asked."""

    kernel: str | None
    """The kernel's name."""

    sample: int
    """Which of the samples, from 0."""

    response: str
    """The text; empty where there is none. Never an error's text."""

    outcome: Outcome
    """`ok`; `empty`: no text; `truncated`: cut off at max_tokens; `token_leak`: control tokens in
    the text; `loop`: went round in circles; `error`: no answer came, `error` says why."""

    reasoning: str = ""
    """What the model thought aloud between `<think>` and `</think>`, if it does; neither scored
    nor trained on."""

    error: str | None = None
    """One sentence, for the outcome `error`."""

    finish_reason: str | None = None
    """The back end's own word: `stop`, `length`."""

    system_role: SystemRole = "none"
    """How the kernel was given: as a system message, or merged before the prompt where the chat
    template knows no system role."""

    revision: str | None = None
    """What answered, as the back end knows it: a digest of weights, or a server's model name."""

    seed: int | None = None
    """The sampling seed, which follows from the request id."""

    prompt_tokens: int = 0
    """Tokens read, the kernel and the template included."""

    saved_tokens: int = 0
    """How many of the tokens read had been read for another request and were not read again."""

    completion_tokens: int = 0
    """Tokens written, the reasoning's too."""

    cost: float | None = None
    """What the server asks for it, in the currency of the configured prices; none without any."""

    prefill_s: float = 0.0
    """Seconds until the first token."""

    decode_s: float = 0.0
    """Seconds from the first token to the last."""
