"""Chat completions as they go over the wire: an ask as JSON, and what servers answer.

Only what is needed is read, and what servers leave out or set to null is taken for not told.
"""

from typing import Any

import msgspec

from agents.models import Ask

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class NoCompletion(Exception):
    """What a server answered is no completion."""


class Message(msgspec.Struct):
    """What the model wrote."""

    content: str | None = None
    reasoning_content: str | None = None
    """What it thought aloud, as llama.cpp, vLLM, SGLang and DeepSeek call it."""
    reasoning: Any = None
    """The same, as mlx_lm, Ollama, newer vLLM and OpenRouter call it; elsewhere no text."""

    @property
    def thought(self) -> str:
        """What it thought aloud, where the server parts that from the answer."""
        told = self.reasoning_content or self.reasoning
        return told.strip() if isinstance(told, str) else ""


class Choice(msgspec.Struct):
    """One answer; we ask for one."""

    message: Message
    finish_reason: str | None = None


class Details(msgspec.Struct):
    """Of the tokens read."""

    cached_tokens: int | None = None


class Usage(msgspec.Struct):
    """The tokens, as the server counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Details | None = None

    @property
    def saved_tokens(self) -> int:
        """Tokens that the server had read before."""
        details = self.prompt_tokens_details
        return (details and details.cached_tokens) or 0


class Completion(msgspec.Struct):
    """An answer to one request."""

    choices: list[Choice]
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None


def body(ask: Ask, model: str, *, merged: bool) -> dict[str, Any]:
    """The request's body.

    Args:
        ask: What is asked.
        model: The server's name for it.
        merged: The kernel goes before the prompt, since there is no system role.
    """
    return {"model": model, "messages": _messages(ask, merged=merged), **_settings(ask)}


def read(content: bytes) -> Completion:
    """Read what came with a status of success.

    Raises:
        NoCompletion: It is something else, or an error that began after the status was sent.
    """
    try:
        completion = msgspec.json.decode(content, type=Completion)
    except _UNREADABLE as error:
        raise NoCompletion(f"its answer is no completion: {error}") from error
    if not completion.choices:
        raise NoCompletion("its answer holds no choice")
    if completion.choices[0].finish_reason == "error":
        raise NoCompletion('its answer broke off with the finish_reason "error"')
    return completion


def words(text: str) -> str:
    """Find the sentence in an error's body; servers differ in where they put it."""
    try:
        value = msgspec.json.decode(text)
    except _UNREADABLE:
        return text.strip()
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and name in value:
            value = value[name]
    return value if isinstance(value, str) else text.strip()


def _messages(ask: Ask, *, merged: bool) -> list[dict[str, str]]:
    if not ask.system:
        return [{"role": "user", "content": ask.prompt}]
    if merged:
        return [{"role": "user", "content": f"{ask.system}\n\n{ask.prompt}"}]
    return [{"role": "system", "content": ask.system}, {"role": "user", "content": ask.prompt}]


def _settings(ask: Ask) -> dict[str, Any]:
    """Name the sampling as the API does; not all servers know top_k and min_p."""
    drawn = ask.sampling
    extras = {"top_k": drawn.top_k, "min_p": drawn.min_p}
    return {
        "temperature": drawn.temperature,
        "top_p": drawn.top_p,
        "max_tokens": drawn.max_tokens,
        "seed": ask.seed,
        "stream": False,
        **{name: value for name, value in extras.items() if value},
    }
