"""How similar two responses of a phase may be: a part of its gate, and so of its policy."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Duplicate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of a phase's responses are duplicates of one another."""

    words: Annotated[int, Meta(ge=1)] = 5
    """Of a shingle: so many words in a row are compared as one."""

    similarity: Annotated[float, Meta(gt=0, le=1)] | None = None
    """The least share of the shingles of both that is in both; none where only equal texts are."""
