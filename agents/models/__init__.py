"""The models that are asked, by URL: what goes in, what comes out, and how one is opened.

The back ends share one promise, kept by `tests/contract/test_model.py`. Nothing here knows the
log, or why something is asked.
"""

import re
from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

import msgspec

from schemas.generation import Outcome, SystemRole
from schemas.request import Sampling
from streams.errors import ModelError

if TYPE_CHECKING:
    from agents.models.patience import Patience
    from agents.models.prices import Prices

SCHEMES = """\
 - mlx:FOLDER or mlx:NAME/REPO, a model on this machine, as mlx:mlx-community/gemma-3-1b-it-qat-4bit
 - openai:URL#MODEL, a server, as openai:http://localhost:11434/v1#gemma3:1b
 - canned:FILE, answers from a file, as canned:tests/answers.jsonl"""

CONTROL = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<unused\d+>|<(?:start|end)_of_\w{1,20}>|\[/?INST\]|</?think>"
    r"|<(?:pad|bos|eos|mask)>"
)
"""Control tokens as the common chat templates write them; no one writes these by hand."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked, once."""

    system: str | None
    """The kernel's text; none without a kernel."""

    prompt: str
    """The one user turn."""

    sampling: Sampling
    """How the answer is drawn."""

    seed: int
    """From 0 to 2**31 - 1, which every server takes: the same ask has the same answer."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered."""

    text: str
    """As the model wrote it, spaces and all, its reasoning aside."""

    reasoning: str = ""
    """What it thought aloud."""

    finish_reason: str
    """`stop`; `length` where it was cut off at max_tokens; `loop` where it went round in circles;
    a server may have further words."""

    system_role: SystemRole
    """How the kernel was given."""

    revision: str
    """What answered: a digest of the weights, a commit, or a server's name for its model."""

    prompt_tokens: int
    """Tokens read, template included; 0 where a server does not say."""

    saved_tokens: int = 0
    """Of them, those that had been read before, for another ask."""

    completion_tokens: int
    """Tokens written, the one that ended the answer included; 0 where a server does not say."""

    prefill_s: float
    """Seconds until the first token; 0 where only the whole is known."""

    decode_s: float
    """Seconds from then to the last token."""

    control_tokens: tuple[str, ...] = ()
    """Control tokens that stand in the text, each once, in the order of the alphabet."""

    cost: float | None = None
    """What the server asks for it, where prices are configured."""


class Model(Protocol):
    """A model that was opened; back ends inherit `answer`."""

    url: str
    """What it was opened by."""

    @property
    def room(self) -> int:
        """How many asks it wants to have at once, at least 1; it changes as the model learns."""
        ...

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Begin to answer, from whatever thread, and return at once.

        The future fails with ModelSilent where there is no answer after every try, with
        RequestRefused where this ask can't be answered, with another ModelError where none can.
        """
        ...

    def answer(self, ask: Ask) -> Answer:
        """Answer one ask, however long it takes.

        Raises:
            ModelSilent: There is no answer, after every try.
            ModelError: Asking again would not help.
        """
        return self.submit(ask).result()

    def close(self) -> None:
        """Let go of memory and connections; a closed model answers no more."""
        ...


def open_model(
    url: str,
    *,
    patience: "Patience | None" = None,
    most: int | None = None,
    prices: "Prices | None" = None,
    cache_bytes: int = 0,
) -> Model:
    """Open the model that `url` names; weights are loaded now, a server is asked only later.

    Args:
        url: `mlx:…`, `openai:…` or `canned:…`.
        patience: How long a server is asked again; as the next two, nothing for the others.
        most: Asks that a server has at once, however well it does.
        prices: What answers cost; without one, an answer has no cost.
        cache_bytes: What MLX may keep of prompts and answers under way; 0 suits the machine.

    Raises:
        ModelError: It can't be opened; the message says what to mend.
    """
    scheme, place = _parts(url)
    if scheme == "mlx":
        from agents.models.mlx import MlxModel

        return MlxModel(place, most_bytes=cache_bytes)
    if scheme == "openai":
        from agents.models.concurrency import MOST
        from agents.models.openai import OpenAIModel

        price = prices.of(url) if prices else None
        return OpenAIModel(place, patience=patience, most=most or MOST, price=price)
    from agents.models.canned import CannedModel

    return CannedModel(place)


def check(url: str) -> None:
    """Refuse a URL that can't work, at once and without loading or asking the model.

    A repository's name is taken on trust: whether the hub has it shows when it is opened.

    Raises:
        ModelError: It can't be opened; the message says what to mend.
    """
    scheme, place = _parts(url)
    if scheme == "mlx":
        from agents.models.files import check_place

        check_place(place)
    elif scheme == "openai":
        from agents.models.servers import parsed

        parsed(place)
    else:
        from agents.models.canned import read

        read(place)


def outcome(answer: Answer) -> Outcome:
    """Say how an answer ended; of several faults the one that tells most about the model."""
    if not answer.text.strip():
        return "empty"
    if answer.control_tokens:
        return "token_leak"
    if answer.finish_reason == "loop":
        return "loop"
    return "truncated" if answer.finish_reason == "length" else "ok"


def reasoned(text: str, *, inside: bool = False) -> tuple[str, str]:
    """Part what a model thought aloud from what it answered.

    Args:
        text: What it wrote.
        inside: The prompt itself ended with `<think>`.

    Returns:
        Reasoning and answer. Reasoning without an end stays in the answer with its mark, which is
        a control token there.
    """
    whole = f"<think>{text}" if inside else text
    opened, mark, rest = whole.partition("<think>")
    thought, closed, said = rest.partition("</think>")
    if not mark or opened.strip() or not closed:
        return "", whole
    return thought.strip(), said.lstrip()


def control_tokens(text: str, known: Iterable[str] = ()) -> tuple[str, ...]:
    """List the control tokens that stand in `text`.

    Args:
        text: What a model wrote.
        known: The model's own control tokens, where its tokenizer is at hand.
    """
    return tuple(sorted({*CONTROL.findall(text), *(token for token in known if token in text)}))


def _parts(url: str) -> tuple[str, str]:
    scheme, _, place = url.partition(":")
    if scheme not in ("mlx", "openai", "canned") or not place:
        raise ModelError(f'"{url}" names no model; write one of\n{SCHEMES}')
    return scheme, place
