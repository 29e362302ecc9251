r"""Patterns that Rust's `regex` and Python's `re` read alike, and that Rust's takes in.

Only what is known to be alike is let through, so that a feature that either learns later is no
surprise: characters, `.`, `\w \d \s` and their opposites, plain classes, groups, `|`, repetitions
of what is never nothing, `\b` and `^`. All that is left takes linear time in Rust's engine.
"""

import re
import string
from typing import NamedTuple

LARGEST = 9_000_000
"""Rust's engine refuses what takes more than 10 MiB in it; `size` below is a little too high."""

_DEEPEST = 30  # groups within groups
_SIZES = {"w": 50_500, "d": 13_000, "s": 2_000, ".": 1_000}
_SIGN, _CLASS, _JOINT = 110, 1_000, 110
_ESCAPABLE = set(string.punctuation) - set("<>") | {" ", "n"}  # \< and \> are edges to Rust

_REPEATED = re.compile(r"(?:[*+?]|\{(?P<least>[0-9]{1,5})(?P<more>,(?P<most>[0-9]{1,5})?)?\})\??")
_PLAIN_CLASS = re.compile(
    r"\[\^?-?"
    r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|\\[wWsSdDn !-/:;=?@\[-`{-~]|[^][\\^&~|-])+"
    r"-?\]"
)


class _Piece(NamedTuple):
    least: int
    """So many characters it matches at least."""

    size: int
    """What it takes in Rust's engine, in bytes, no less than it does."""


def size(pattern: str) -> int:
    """What a pattern takes in the engine, in bytes.

    Raises:
        ValueError: It can't be used; the message goes on after the pattern.
    """
    for sign in pattern:
        _check(sign)
    found = _Reader(pattern).whole()
    if not found.least:
        raise ValueError("can match nothing at all, which can't be counted")
    return found.size


def _check(sign: str) -> None:
    """Refuse a character that has another meaning, or another case, in one of the engines."""
    if sign.isascii():
        if not sign.isprintable() and sign != "\n":
            raise ValueError(f"has {sign!r}; of control characters only \\n can be sought")
    elif sign.isalnum() or sign.isspace() or sign.lower() != sign.upper() or _is_half(sign):
        raise ValueError(
            f"has {sign!r}; of what is not ASCII only signs can be sought, no letter, digit or"
            r" blank. Write \w, \d or \s for it"
        )


def _is_half(sign: str) -> bool:
    return "\ud800" <= sign <= "\udfff"


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def whole(self) -> _Piece:
        found = self._either()
        if self._next:
            raise ValueError(r"has ) that closes nothing; write \)")
        return found

    @property
    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, wanted: str) -> bool:
        is_there = self._pattern.startswith(wanted, self._at)
        self._at += len(wanted) * is_there
        return is_there

    def _either(self) -> _Piece:
        pieces = [self._sequence()]
        while self._take("|"):
            pieces.append(self._sequence())
        joints = _JOINT * len(pieces)
        return _Piece(min(one.least for one in pieces), joints + sum(one.size for one in pieces))

    def _sequence(self) -> _Piece:
        pieces = []
        while self._next not in ("", "|", ")"):
            pieces.append(self._repeated(self._one()))
        if not pieces:
            raise ValueError("is empty, or has an alternative that is; write (?:…)? for it")
        return _Piece(sum(one.least for one in pieces), sum(one.size for one in pieces))

    def _one(self) -> _Piece:
        sign = self._next
        if sign == "[":
            return self._class()
        self._at += 1
        if sign == "(":
            return self._group()
        if sign == "\\":
            return self._escaped()
        if sign in "$*+?{]}":
            raise ValueError(_MISPLACED.get(sign, _UNEXPECTED).format(sign))
        if sign == "^":
            return _Piece(0, _JOINT)
        return _Piece(1, _SIZES["."] if sign == "." else _SIGN)

    def _group(self) -> _Piece:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"has more than {_DEEPEST} groups within each other")
        if not self._take("?:") and self._next == "?":
            raise ValueError(
                "has (? without a colon; look-around, flags and names have no place in a scorer."
                " Take off hits with `less`, or write another rule"
            )
        found = self._either()
        if not self._take(")"):
            raise ValueError(r"has ( that nothing closes; write \(")
        self._depth -= 1
        return found._replace(size=found.size + 2 * _JOINT)

    def _escaped(self) -> _Piece:
        sign = self._next
        self._at += 1
        if sign == "b":
            return _Piece(0, _JOINT)
        if sign and sign in "wWdDsS":
            return _Piece(1, _SIZES[sign.lower()])
        if sign not in _ESCAPABLE:
            raise ValueError(
                f"has \\{sign}; behind a backslash stand w, W, d, D, s, S, b, n, or a sign that"
                " would mean something else without it"
            )
        return _Piece(1, _SIGN)

    def _class(self) -> _Piece:
        found = _PLAIN_CLASS.match(self._pattern, self._at)
        if not found or any(one > two for one, two in re.findall(r"(\w)-(\w)", found[0])):
            raise ValueError(
                "has [ that begins no plain class: characters, ranges as a-z or 0-9, \\w, \\d, \\s;"
                " a hyphen at an end; \\ before any of [ ] ^ & ~ |"
            )
        self._at = found.end()
        named = re.findall(r"\\([wds])", found[0], re.IGNORECASE)
        members = sum(_SIZES[name.lower()] for name in named)
        return _Piece(1, _CLASS + _SIGN * len(found[0]) + members)

    def _repeated(self, one: _Piece) -> _Piece:
        found = _REPEATED.match(self._pattern, self._at)
        if not found:
            return one
        self._at = found.end()
        if not one.least:
            raise ValueError(f"repeats, by {found[0]}, what can be nothing")
        least, most = _bounds(found)
        if most < max(least, 1):
            raise ValueError(f"has {found[0]}, which is no number of times")
        return _Piece(one.least * least, (one.size + _JOINT) * most + _JOINT)


_MISPLACED = {
    "$": "has $, before a last line break or not, as engines differ; do without, or write \\$",
    "{": "has {{ that begins no {{2}}, {{2,}} or {{2,5}}; write \\{{",
}
_UNEXPECTED = "has {0} with nothing to belong to; write \\{0}, or repeat a group (?:…)"


def _bounds(found: re.Match[str]) -> tuple[int, int]:
    """How often at least, and how many times what is repeated stands in the engine."""
    if not found["least"]:
        return int(found[0][0] == "+"), 2
    least = int(found["least"])
    if not found["more"]:
        return least, least
    return least, int(found["most"] or least + 1)
