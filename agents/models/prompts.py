"""Asks as tokens, and how many of them also stand before other asks with the same kernel."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from agents.models import Ask
from schemas.generation import SystemRole

_PROBES = ("A", "9")  # two prompts that no tokenizer begins alike


class Prompt(NamedTuple):
    """An ask as the model reads it."""

    tokens: list[int]
    shared: int
    """So many of them stand before every ask with this kernel."""
    role: SystemRole
    thinks: bool
    """It ends with `<think>`, so that the answer begins with reasoning."""


class Prompts:
    """Renders asks by a model's chat template."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._before = lru_cache(maxsize=64)(self._common)

    def of(self, ask: Ask) -> Prompt:
        """The prompt of an ask.

        Raises:
            ValueError: It asks for no token at all.
            TemplateError: The chat template refuses it.
        """
        if (most := ask.sampling.max_tokens) < 1:
            raise ValueError(f"max_tokens is {most}, so there is nothing to write")
        text, role = self._rendered(ask.system, ask.prompt)
        tokens = self._tokens(text)
        before = self._before(ask.system) if ask.system else ()
        # The last token is read when the answer begins.
        shared = min(_alike(tokens, before), len(tokens) - 1)
        return Prompt(tokens, shared, role, text.rstrip().endswith("<think>"))

    def _common(self, system: str) -> tuple[int, ...]:
        one, two = (self._tokens(self._rendered(system, probe)[0]) for probe in _PROBES)
        return tuple(one[: _alike(one, two)])

    def _tokens(self, text: str) -> list[int]:
        # The template has written the BOS token; the tokenizer would add a second one.
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _rendered(self, system: str | None, prompt: str) -> tuple[str, SystemRole]:
        """Render the chat template, which is the whole prompt.

        Where it refuses a system message, or leaves it out, the kernel stands before the prompt.
        """
        from jinja2 import TemplateError

        if not system:
            return self._template(("user", prompt)), "none"
        try:
            text = self._template(("system", system), ("user", prompt))
        except TemplateError:
            text = ""
        if system.strip() in text:
            return text, "system"
        return self._template(("user", f"{system}\n\n{prompt}")), "merged"

    def _template(self, *turns: tuple[str, str]) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        template = self._tokenizer.apply_chat_template
        return str(template(messages, tokenize=False, add_generation_prompt=True))


def _alike(one: Sequence[int], two: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(two)))
