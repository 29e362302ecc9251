"""Models behind an OpenAI-compatible server: llama.cpp, Ollama, vLLM, LM Studio, mlx_lm, hosted.

The server is asked again, each time after a longer wait, when it can't be reached, is too busy,
fails, or answers with something that is no completion. A refusal is final. How much it is asked at
once is learned from it. A try that failed may have cost something, which nobody tells us.

What can't be seen from here: a server whose chat template drops the system message in silence.
"""

import asyncio
import re
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from agents.models import Answer, Ask, Model, control_tokens, reasoned
from agents.models.background import Background
from agents.models.completions import Completion, NoCompletion, Usage, body, read, words
from agents.models.concurrency import MOST, Slots, pause_of
from agents.models.patience import Patience, told_s, wait_s
from agents.models.prices import Price, most_tokens
from agents.models.servers import Key, parsed
from schemas.generation import SystemRole
from streams.errors import ModelError, ModelSilent, RequestRefused

if TYPE_CHECKING:
    import httpx

REFUSES_SYSTEM = re.compile(
    r"system[ _]?(role|message|prompt|instruction)|developer instruction|roles must alternate",
    re.IGNORECASE,
)
"""What servers say when a chat template knows no system role; the last is Gemma 2's."""

SPENT = re.compile(r"insufficient_quota|exceeded your current quota", re.IGNORECASE)
"""What hosted models say with 429 where waiting does not help."""

TOO_MUCH = (429, 503, 529)
"""What servers answer when they are asked too much at once."""

_CONNECT_S = 10.0  # a server that runs takes a connection at once, however slowly it answers
_UNHURRIED = 4  # of a try's time that part; who takes longer has enough to do


class _TryAgain(Exception):
    """This try failed; the next may not."""

    def __init__(
        self, cause: str, *, told_s: float | None = None, is_too_much: bool = False
    ) -> None:
        super().__init__(cause)
        self.told_s = told_s
        self.is_too_much = is_too_much


class _SystemRefused(Exception):
    """The model behind the server takes no system message."""


class _Told(NamedTuple):
    """What came of a try, and how long it took."""

    completion: Completion
    seconds: float


class OpenAIModel(Model):
    """A model that a server answers for."""

    def __init__(
        self,
        place: str,
        *,
        patience: Patience | None = None,
        most: int = MOST,
        price: Price | None = None,
    ) -> None:
        """Open it; the server is asked only later.

        Args:
            place: `URL#MODEL`.
            patience: How often it is asked again.
            most: Asks that the server has at once, however well it does.
            price: What it takes for its answers.

        Raises:
            ModelError: The URL or the key can't be right.
        """
        base, self._name = parsed(place)
        self.url = f"openai:{place}"
        self._key = Key(base)
        self._address = f"{base}/chat/completions"
        self._patience = patience or Patience()
        self._price = price
        self._merges = False
        self._slots = Slots(most, pause_of(base))
        self._client = _client(self._key, self._patience, most)
        self._background = Background(self.url)

    @property
    def room(self) -> int:
        """As many as the server has shown to take; one more now and then, to learn."""
        return self._slots.room

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Ask the server, again where that may help; what it has no room for waits."""
        if self._background.is_closed:
            raise self._closed()
        return self._background.submit(self._answered(ask))

    def close(self) -> None:
        """Break off what is under way, and close the connections."""
        self._background.close(self._client.aclose)

    async def _answered(self, ask: Ask) -> Answer:
        try:
            if not self._merges:
                try:
                    return await self._asked(ask, merged=False)
                except _SystemRefused:
                    self._merges = True
            return await self._asked(ask, merged=True)
        except asyncio.CancelledError:
            if self._background.is_closed:
                raise self._closed() from None
            raise

    async def _asked(self, ask: Ask, *, merged: bool) -> Answer:
        sent = body(ask, self._name, merged=merged)
        told = await self._told(sent, has_system=bool(ask.system) and not merged)
        role: SystemRole = "merged" if merged else "system"
        return self._answer(ask, told, role if ask.system else "none")

    async def _told(self, sent: dict[str, Any], *, has_system: bool) -> _Told:
        """Try until a completion comes."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._tried(sent, has_system=has_system)
            except _TryAgain as failure:
                if attempt >= self._patience.tries:
                    raise ModelSilent(
                        f"Model {self.url} gave no answer in {attempt} tries, the last time because"
                        f" {failure}; see that the server runs, then ask again."
                    ) from failure
                await asyncio.sleep(wait_s(self._patience, attempt))

    async def _tried(self, sent: dict[str, Any], *, has_system: bool) -> _Told:
        """Try once, and learn from it how much the server takes."""
        slots, most_s = self._slots, self._patience.timeout_s
        async with slots.one() as one:
            began = time.perf_counter()
            try:
                completion = await self._completion(sent, has_system=has_system)
            except _TryAgain as failure:
                if failure.is_too_much:
                    slots.was_too_much(one)
                if failure.told_s:
                    slots.pause.begin(min(failure.told_s, most_s))
                raise
            seconds = time.perf_counter() - began
            if seconds < most_s / _UNHURRIED:
                slots.went_well(one)
        return _Told(completion, seconds)

    async def _completion(self, sent: dict[str, Any], *, has_system: bool) -> Completion:
        response = await self._response(sent)
        if not response.is_success:
            self._refuse(response, has_system=has_system)
        try:
            return read(response.content)
        except NoCompletion as error:
            raise _TryAgain(self._safe(f'{error}: "{words(response.text)}"')) from error

    async def _response(self, sent: dict[str, Any]) -> "httpx.Response":
        import httpx

        limit_s = self._patience.timeout_s
        try:
            async with asyncio.timeout(limit_s):  # also of a server that sends byte after byte
                return await self._client.post(self._address, json=sent)
        except TimeoutError as error:
            said = f"no whole answer came within {limit_s:g} s (LEM_TIMEOUT_S)"
            raise _TryAgain(said, is_too_much=True) from error
        except httpx.RequestError as error:
            said = self._safe(f"of {type(error).__name__}: {error}")
            raise _TryAgain(said, is_too_much=isinstance(error, httpx.TimeoutException)) from error

    def _refuse(self, response: "httpx.Response", *, has_system: bool) -> NoReturn:
        """Raise what a status other than success means."""
        status, said = response.status_code, self._safe(words(response.text))
        if has_system and REFUSES_SYSTEM.search(said):
            raise _SystemRefused(said)
        is_passing = status in (408, 429) or status >= 500
        if is_passing and not SPENT.search(response.text):
            told = told_s(response.headers.get("Retry-After"))
            cause = f'it answered {status} "{said}"'
            raise _TryAgain(cause, told_s=told, is_too_much=status in TOO_MUCH)
        # The others speak of the server or the key, these of the one request: too long, say.
        kind = RequestRefused if status in (400, 413, 422) else ModelError
        raise kind(f'Model {self.url} refuses with {status} "{said}"; {self._hint(status)}.')

    def _hint(self, status: int) -> str:
        """What to do about a refusal."""
        if status in (401, 403):
            return f"set {self._key.names[-1]}, or {self._key.names[0]} for this server alone"
        if status in (402, 429):
            return "see to the account's credit, then go on"
        if status == 404:
            return "mend the URL or the name after #"
        return "ask for something that it takes"

    def _answer(self, ask: Ask, told: _Told, role: SystemRole) -> Answer:
        completion, clear = told.completion, self._key.cleared
        choice, usage = completion.choices[0], completion.usage or Usage()
        thought, text = reasoned(clear(choice.message.content or ""))
        names = (completion.model or self._name, completion.system_fingerprint)
        return Answer(
            text=text,
            reasoning=clear(choice.message.thought) or thought,
            finish_reason=clear(choice.finish_reason or "stop"),
            system_role=role,
            revision=clear("@".join(name for name in names if name)),
            prompt_tokens=usage.prompt_tokens or 0,
            saved_tokens=usage.saved_tokens,
            completion_tokens=usage.completion_tokens or 0,
            prefill_s=0.0,
            decode_s=told.seconds,
            control_tokens=control_tokens(text),
            cost=_cost(self._price, ask, completion) if self._price else None,
        )

    def _closed(self) -> ModelError:
        return ModelError(f"Model {self.url} was closed; open it again.")

    def _safe(self, text: str) -> str:
        """Without the key, and no more than the first 200 characters."""
        return self._key.hidden(text)[:200]


def _client(key: Key, patience: Patience, most: int) -> "httpx.AsyncClient":
    """A client that opens as many connections as asks may be under way."""
    import httpx

    limit_s = patience.timeout_s
    return httpx.AsyncClient(
        timeout=httpx.Timeout(None, connect=min(_CONNECT_S, limit_s)),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=most),
        headers=key.headers,
    )


def _cost(price: Price, ask: Ask, completion: Completion) -> float:
    """What the answer costs; what it may cost at most where the server counts no tokens."""
    usage, message = completion.usage or Usage(), completion.choices[0].message
    written = len((message.content or "").encode()) + len(message.thought.encode())
    return price.cost(
        prompt=most_tokens(ask) if usage.prompt_tokens is None else usage.prompt_tokens,
        completion=written if usage.completion_tokens is None else usage.completion_tokens,
        saved=usage.saved_tokens,
    )
