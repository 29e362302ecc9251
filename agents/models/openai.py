"""Models behind an OpenAI-compatible server: llama.cpp, Ollama, vLLM, LM Studio, mlx_lm, hosted.

The server is asked again, each time after a longer wait, when it can't be reached, is too busy,
fails, or answers with something that is no completion. A refusal is final. The key is read from
OPENAI_API_KEY when the model is opened; no error and no event ever holds it.

What can't be seen from here: a server whose chat template drops the system message in silence.
"""

import os
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from agents.models import Answer, Ask, control_tokens
from agents.models.patience import Patience, told_s, wait_s
from schemas.generation import SystemRole
from streams.errors import ModelError, ModelSilent, RequestRefused

if TYPE_CHECKING:
    import httpx

REFUSES_SYSTEM = re.compile(
    r"system[ _]?(role|message|prompt|instruction)|developer instruction|roles must alternate",
    re.IGNORECASE,
)
"""What servers say when a chat template knows no system role; the last is Gemma 2's."""


HINTS = {
    401: "set OPENAI_API_KEY",
    403: "set OPENAI_API_KEY",
    404: "mend the URL or the name after #",
}
"""What to do about a refusal, by its status."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    """What we need of a completion; servers send much more."""

    choices: list[_Choice]
    usage: _Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None


class _TryAgain(Exception):
    """This try failed; the next may not."""

    def __init__(self, cause: str, *, told_s: float | None = None) -> None:
        super().__init__(cause)
        self.told_s = told_s


class _SystemRefused(Exception):
    """The model behind the server takes no system message."""


class OpenAIModel:
    """A model that a server answers for."""

    def __init__(self, place: str, *, patience: Patience | None = None) -> None:
        import httpx

        base, self._name = parsed(place)
        self.url = f"openai:{place}"
        self._address = f"{base}/chat/completions"
        self._patience = patience or Patience()
        self._key = _key()
        self._merges = False
        limit_s = self._patience.timeout_s
        self._client = httpx.Client(
            timeout=httpx.Timeout(limit_s, connect=min(10.0, limit_s)),
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
        )

    def answer(self, ask: Ask) -> Answer:
        """Ask the server, again where that may help.

        Raises:
            ModelSilent: Every try failed; the message holds the last cause.
            ModelError: The server refuses; the message holds its own words.
        """
        if not self._merges:
            try:
                return self._asked(ask, merged=False)
            except _SystemRefused:
                self._merges = True
        return self._asked(ask, merged=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, ask: Ask, *, merged: bool) -> Answer:
        body = {"model": self._name, "messages": _messages(ask, merged=merged), **_settings(ask)}
        began = time.perf_counter()
        completion = self._completed(body, has_system=bool(ask.system) and not merged)
        role: SystemRole = "merged" if merged else "system"
        return self._answer(completion, role if ask.system else "none", began)

    def _completed(self, body: dict[str, Any], *, has_system: bool) -> _Completion:
        """Try until a completion comes."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._tried(body, has_system=has_system)
            except _TryAgain as failure:
                if attempt >= self._patience.tries:
                    raise ModelSilent(
                        f"Model {self.url} gave no answer in {attempt} tries, the last time because"
                        f" {failure}; see that the server runs, then ask again."
                    ) from failure
                time.sleep(wait_s(self._patience, attempt, told_s=failure.told_s))

    def _tried(self, body: dict[str, Any], *, has_system: bool) -> _Completion:
        import httpx

        try:
            response = self._client.post(self._address, json=body)
        except httpx.TransportError as error:
            raise _TryAgain(self._safe(f"of {type(error).__name__}: {error}")) from error
        if not response.is_success:
            self._refuse(response, has_system=has_system)
        return _read(response.content)

    def _refuse(self, response: "httpx.Response", *, has_system: bool) -> None:
        """Raise what a status other than success means."""
        said = self._safe(_words(response.text))
        if has_system and REFUSES_SYSTEM.search(said):
            raise _SystemRefused(said)
        if response.status_code in (408, 429) or response.status_code >= 500:
            told = told_s(response.headers.get("Retry-After"))
            raise _TryAgain(f'it answered {response.status_code} "{said}"', told_s=told)
        hint = HINTS.get(response.status_code, "ask for something that it takes")
        # The others speak of the server or the key, these of the one request: too long, say.
        kind = RequestRefused if response.status_code in (400, 413, 422) else ModelError
        raise kind(f'Model {self.url} refuses with {response.status_code} "{said}"; {hint}.')

    def _answer(self, completion: _Completion, role: SystemRole, began: float) -> Answer:
        choice, usage = completion.choices[0], completion.usage or _Usage()
        text = choice.message.content or ""
        names = (completion.model or self._name, completion.system_fingerprint)
        return Answer(
            text=text,
            finish_reason=choice.finish_reason or "stop",
            system_role=role,
            revision="@".join(name for name in names if name),
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            prefill_s=0.0,
            decode_s=time.perf_counter() - began,
            control_tokens=control_tokens(text),
        )

    def _safe(self, text: str) -> str:
        """Blot out the key, which some servers repeat, and keep the first 200 characters."""
        return (text.replace(self._key, "***") if self._key else text)[:200]


def parsed(place: str) -> tuple[str, str]:
    """Split `URL#MODEL`, the part after `openai:`.

    Raises:
        ModelError: There is no model, no server, or a password in the URL.
    """
    base, _, name = place.partition("#")
    try:
        parts = urlsplit(base)
    except ValueError as error:
        raise ModelError(f"openai:{place} holds no URL: {error}; mend it.") from error
    if parts.username or parts.password or parts.query:
        # The URL itself stays out of the message: it goes into logs.
        raise ModelError(
            "An openai: URL holds a user, a password or a query, and URLs are written on the log; "
            "put the key into OPENAI_API_KEY instead."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or not name:
        raise ModelError(
            f"openai:{place} names no server and model; write openai:URL#MODEL, "
            f"as openai:http://localhost:11434/v1#gemma3:1b."
        )
    return base.rstrip("/"), name


def _key() -> str:
    """Read the key; one that no header can carry would come back in an error's text."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ModelError(
            "OPENAI_API_KEY holds a line break or a character outside ASCII, which no key has; "
            "set it again."
        )
    return key


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


def _read(body: bytes) -> _Completion:
    try:
        completion = msgspec.json.decode(body, type=_Completion)
    except msgspec.DecodeError as error:
        raise _TryAgain(f"its answer is no completion: {error}") from error
    if not completion.choices:
        raise _TryAgain("its answer holds no choice")
    return completion


def _words(body: str) -> str:
    """Find the sentence in an error's body; servers differ in where they put it."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.strip()
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and name in value:
            value = value[name]
    return value if isinstance(value, str) else body.strip()
