"""The door to what is believed: the axioms, and the kernels that models are given.

Kernels are plain files beside this one. A model gets a kernel's text as it stands, so the
digest of that text says which kernel it was.
"""

import hashlib
from functools import cache
from importlib.resources import files

import msgspec


class Axiom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the five principles that the kernels are built on."""

    id: int
    """From 1; the lower comes first where two of them pull apart."""

    name: str
    """As it is called in the documents."""

    statement: str
    """What it holds."""

    function: str
    """What it does among the five."""

    resolution: str
    """How someone who acted from it would explain the act."""


def names() -> tuple[str, ...]:
    """List what `text` can give, in alphabetical order."""
    entries = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name for name in entries if name.endswith((".json", ".txt"))))


def text(name: str) -> str:
    """Return a kernel's whole text, as a model is given it.

    Args:
        name: A file of this package, as `lek-1.json`; never a path.

    Raises:
        LookupError: There is no such kernel; the message lists those that there are.
    """
    if name not in names():
        raise LookupError(f'There is no kernel "{name}"; there are {", ".join(names())}.')
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def digest(name: str) -> str:
    """Return the SHA-256 of a kernel's text in UTF-8, 64 hexadecimal digits."""
    return hashlib.sha256(text(name).encode()).hexdigest()


def axioms() -> tuple[Axiom, ...]:
    """Return the five axioms in their order of precedence."""
    return msgspec.json.decode(text("axioms.json"), type=_Axioms).axioms


@cache
def axiom_names() -> tuple[str, ...]:
    """Return what the axioms are called, in their order of precedence."""
    return tuple(axiom.name for axiom in axioms())


class _Axioms(msgspec.Struct, frozen=True):
    axioms: tuple[Axiom, ...]
