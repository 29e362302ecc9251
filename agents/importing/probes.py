"""Probes in every shape that seed files have come in.

The prompt may be called `text` or `question`, the domain be missing, the entry be a plain string.
What a probe has no field for (tension in its many spellings, tags) stays in the file.
"""

import re
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

from agents.importing.rows import BadRow, needed, text
from agents.importing.told import About, Probe, Told
from agents.rephrasings import SUFFIXES
from schemas.probe import RephrasingKind
from streams.seeds import voiced

_KINDS: dict[str, RephrasingKind] = {
    "perspective": "perspective",
    "urgency": "urgency",
    "cultural": "culture",
    "culture": "culture",
}
_BY_SUFFIX = dict(zip(SUFFIXES, ("perspective", "urgency", "cultural"), strict=True))
_NO_ID = "P_00000"  # what the golden set has where a prompt came without an id
_LONGEST_ID = 1000  # an event holds it more than once
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def read(value: Any, about: About) -> Iterator[Told]:
    """The one probe of an entry.

    Raises:
        BadRow: It has no prompt, or a field that is not text.
    """
    yield (
        Probe(prompt=text({"prompt": value}, "prompt") or "")
        if isinstance(value, str)
        else (probe(value))
    )


def probe(row: Mapping[str, Any], *, prompt: str | None = None) -> Probe:
    """The probe that a row asks about.

    Args:
        row: With an id, a domain and a prompt, by whatever names.
        prompt: Where the row has it elsewhere.

    Raises:
        BadRow: It has no prompt, or a field that is not text.
    """
    own, of, kind = _ids(row)
    return Probe(
        id=own,
        prompt=prompt or needed(row, "prompt", "text", "question", "prompt_en"),
        domain=text(row, "domain", "category", "benchmark", "context") or "uncategorised",
        language=_language(row, prompt),
        rephrasing_of=of,
        kind=kind,
        voice=_mark(row, "voice"),
        region=_mark(row, "region"),
    )


def identifier(row: Mapping[str, Any]) -> str | None:
    """The id that the file gives a row's probe; a number is one too.

    Raises:
        BadRow: It is neither.
    """
    for key in ("seed_id", "id"):
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str | None):
            raise BadRow(f'has an "{key}" that is neither text nor a number: {reprlib.repr(value)}')
        if (found := text(row, key)) and found != _NO_ID:
            if len(found) > _LONGEST_ID:
                raise BadRow(f'has an "{key}" of {len(found):,} characters: {found[:20]}…')
            return found
    return None


def _ids(row: Mapping[str, Any]) -> tuple[str | None, str | None, RephrasingKind | None]:
    """A probe's own id, that of its original, and how it differs from it."""
    own, voice = identifier(row), _mark(row, "voice")
    if source := text(row, "source_probe"):
        return own, source, _KINDS.get(text(row, "rephrase_type") or "")
    # The same prompt in another voice: splits must not put the two on both sides.
    if own and (of := voiced(own, voice))[1]:
        return *of, "perspective"
    for suffix, kind in _BY_SUFFIX.items():
        if own and own.endswith(suffix) and own != suffix:
            return own, own.removesuffix(suffix), _KINDS[kind]
    return own, None, None


def _mark(row: Mapping[str, Any], key: str) -> str | None:
    """What a row is marked with; a mark of another kind is no reason to lose the row."""
    return text(row, key) if isinstance(row.get(key), str) else None


def _language(row: Mapping[str, Any], prompt: str | None) -> str:
    said = text(row, "language")
    if said and _TAG.fullmatch(said):
        return said
    asked = prompt or text(row, "prompt", "text", "question") or ""
    english = text(row, "prompt_en")
    is_other = bool(said or (asked and english and english != asked)) or _is_foreign(asked)
    return "und" if is_other else "en"


def _is_foreign(prompt: str) -> bool:
    """Whether most of its letters are beyond the Latin ones."""
    letters = [char for char in prompt if char.isalpha()]
    return sum(char > "\u024f" for char in letters) * 2 > len(letters)
