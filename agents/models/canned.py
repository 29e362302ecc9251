"""Answers from a file, for tests and rehearsals: deterministic, and as slow as they are told to be.

One JSON object a line:

    {"prompt": "consent", "responses": ["Ask first.", "Wait."], "finish_reason": "stop"}

The first line whose `prompt` stands in the prompt gives the answer, the seed says which of its
responses; `*` stands in every prompt. `delay_s` makes an answer slow, `finish_reason` is `stop`
unless it is given. A token is a word here, so that `max_tokens` cuts as it does elsewhere.
"""

import hashlib
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import msgspec

from agents.models import Answer, Ask, Model, control_tokens, reasoned
from streams.errors import ModelError, ModelSilent


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is answered to some prompts."""

    prompt: str
    """A part of the prompt, or `*`."""

    responses: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """The answers; the seed counts through them, and begins again after the last."""

    finish_reason: str = "stop"
    """What is reported, unless the answer is cut off at max_tokens."""

    delay_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long an answer takes."""


class CannedModel(Model):
    """A model that answers from a file, read once when it is opened."""

    def __init__(self, place: str) -> None:
        self.url = f"canned:{place}"
        self._lines = read(place)
        self._revision = hashlib.sha256(Path(place).expanduser().read_bytes()).hexdigest()

        self._thread = ThreadPoolExecutor(1, "lem-canned")

    room = 1
    """One after the other, so that a rehearsal goes alike each time."""

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Answer with the first line that fits; ModelSilent where none does."""
        return self._thread.submit(self._answer, ask)

    def _answer(self, ask: Ask) -> Answer:
        line = self._line(ask.prompt)
        time.sleep(line.delay_s)
        text = line.responses[ask.seed % len(line.responses)]
        cut = _cut(text, ask.sampling.max_tokens)
        thought, said = reasoned(cut)
        return Answer(
            text=said,
            reasoning=thought,
            finish_reason=line.finish_reason if cut == text else "length",
            system_role="system" if ask.system else "none",
            revision=self._revision,
            prompt_tokens=len(f"{ask.system or ''} {ask.prompt}".split()),
            completion_tokens=len(cut.split()),
            prefill_s=0.0,
            decode_s=line.delay_s,
            control_tokens=control_tokens(said),
        )

    def close(self) -> None:
        """Let the thread go, after the answer at hand."""
        self._thread.shutdown()

    def _line(self, prompt: str) -> Line:
        for line in self._lines:
            if line.prompt == "*" or line.prompt in prompt:
                return line
        raise ModelSilent(
            f'Model {self.url} has no answer for "{prompt[:60]}"; '
            f'add a line whose "prompt" is a part of it, or "*".'
        )


def read(place: str) -> tuple[Line, ...]:
    """Read a file of answers.

    Raises:
        ModelError: It can't be read, holds nothing, or a line is wrong; the message names it.
    """
    try:
        lines = Path(place).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"Model canned:{place} can't be read: {error}; name a file of JSON lines."
        ) from error
    found = tuple(_parsed(place, lines))
    if not found:
        raise ModelError(
            f'Model canned:{place} holds no answers; give it a line {{"prompt": "*", "responses": '
            f'["…"]}}.'
        )
    return found


def _parsed(place: str, lines: list[str]) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield msgspec.json.decode(line, type=Line)
        except msgspec.DecodeError as error:
            raise ModelError(
                f"{place}:{number} is no canned answer: {error}; a line has prompt, responses and, "
                f"if you like, finish_reason and delay_s."
            ) from error


def _cut(text: str, words: int) -> str:
    """Return the first words of `text` with the spaces before and between them."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    return text if len(ends) <= words else text[: ends[words - 1]]
