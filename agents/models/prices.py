"""What answers cost: a file of prices by model, and what follows from them.

A YAML file, one line a model; prices are for a million tokens, all in one currency:

    openai:https://api.example.org/v1#large: {prompt: 2.5, cached: 1.25, completion: 10}
    openai:http://localhost*: {prompt: 0, completion: 0}

A star stands for anything. Of several lines that fit, the first counts.
"""

import re
from pathlib import Path
from typing import Annotated

import msgspec

from agents.models import Ask
from streams.errors import ConfigError

_EACH = 1_000_000
_TEMPLATE = 64  # tokens that a chat template may add

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model takes for a million tokens."""

    prompt: Amount
    """Tokens read."""

    completion: Amount
    """Tokens written."""

    cached: Amount | None = None
    """Tokens read that the server had read before; as the others where it is not given."""

    def cost(self, *, prompt: int, completion: int, saved: int = 0) -> float:
        """What so many tokens cost.

        Args:
            prompt: Tokens read, the saved ones included.
            completion: Tokens written.
            saved: Tokens that the server had read before.
        """
        cached = self.prompt if self.cached is None else self.cached
        saved = min(saved, prompt)  # some gateways count them apart
        read = (prompt - saved) * self.prompt + saved * cached
        return (read + completion * self.completion) / _EACH

    def most(self, ask: Ask) -> float:
        """What an answer to this ask costs at most."""
        return self.cost(prompt=most_tokens(ask), completion=ask.sampling.max_tokens)


class Prices:
    """The prices of all models that have one."""

    def __init__(self, by_pattern: dict[str, Price]) -> None:
        self._by_pattern = [(_compiled(text), price) for text, price in by_pattern.items()]

    def of(self, url: str) -> Price | None:
        """The price of the model of this URL."""
        return next((price for fits, price in self._by_pattern if fits.fullmatch(url)), None)


NO_PRICES = Prices({})


def read(file: str) -> Prices:
    """Read a file of prices; without a name there are none.

    Raises:
        ConfigError: It can't be read, or a price is wrong; the message says which.
    """
    if not file:
        return NO_PRICES
    import yaml

    try:
        found = yaml.safe_load(Path(file).expanduser().read_text(encoding="utf-8")) or {}
        return Prices(msgspec.convert(found, dict[str, Price]))
    except (OSError, ValueError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(
            f"The prices in {file} can't be used: {error}; a line is a model URL and "
            f"{{prompt: 2.5, completion: 10}}, for a million tokens."
        ) from error


def most_tokens(ask: Ask) -> int:
    """Tokens that are read for an ask, at most: none is shorter than a byte."""
    return len((ask.system or "").encode()) + len(ask.prompt.encode()) + _TEMPLATE


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
