"""Which server an `openai:` URL means, and the key for it.

A key comes from the environment. A server may have one of its own, in a variable that ends with
its host, or with host and port: OPENAI_API_KEY_API_MISTRAL_AI, OPENAI_API_KEY_LOCALHOST_8080. All
others have OPENAI_API_KEY. Of these the first that is set counts; one set to nothing sends none.
"""

import os
import re
from urllib.parse import urlsplit

from streams.errors import ModelError

_KEY = "OPENAI_API_KEY"
_NO_WORD = 12  # characters: a shorter key is a word as "ollama", which an answer may well hold


class Key:
    """A server's key, which nothing shows: whatever the server says goes through here."""

    def __init__(self, base: str) -> None:
        """Find it.

        Args:
            base: The server's URL.

        Raises:
            ModelError: No header can carry it, so that it would come back in an error's text.
        """
        self.names = _names(base)
        """The variables that may hold it, the one that counts most first."""
        name = next((each for each in self.names if each in os.environ), _KEY)
        self._value = os.environ.get(name, "").strip()
        if not (self._value.isascii() and self._value.isprintable()):
            raise ModelError(
                f"{name} holds a line break or a character outside ASCII, which no key has; "
                f"set it again."
            )

    @property
    def headers(self) -> dict[str, str]:
        """What shows it to the server, and to nobody else."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def hidden(self, text: str) -> str:
        """What a server said about an ask, the key blotted out: some repeat it."""
        return text.replace(self._value, "***") if self._value else text

    def cleared(self, text: str) -> str:
        """What a model answered, a real key blotted out; placeholders are too short for one."""
        return self.hidden(text) if len(self._value) >= _NO_WORD else text


def parsed(place: str) -> tuple[str, str]:
    """Split `URL#MODEL`, the part after `openai:`.

    Raises:
        ModelError: There is no model, no server, or a password in the URL.
    """
    base, _, name = place.partition("#")
    if "@" in base or "?" in base:
        # The URL itself stays out of the message: it goes into logs.
        raise ModelError(
            "An openai: URL holds a user, a password or a query, and URLs are written on the log; "
            f"put the key into {_KEY} instead."
        )
    try:
        parts = urlsplit(base)
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ModelError(f"openai:{place} holds no URL: {error}; mend it.") from error
    if not is_whole or not name:
        raise ModelError(
            f"openai:{place} names no server and model; write openai:URL#MODEL, "
            f"as openai:http://localhost:11434/v1#gemma3:1b."
        )
    return base.rstrip("/"), name


def _names(base: str) -> list[str]:
    parts = urlsplit(base)
    host = re.sub(r"[^A-Z0-9]+", "_", (parts.hostname or "").upper()).strip("_")
    port = [f"{_KEY}_{host}_{parts.port}"] if parts.port else []
    return [*port, f"{_KEY}_{host}", _KEY]
