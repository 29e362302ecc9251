"""How often a server is asked, and how long is waited in between. Pure, but for chance."""

import email.utils
import random
from datetime import UTC, datetime

import msgspec


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How often a server is asked, and how long is waited."""

    tries: int = 5
    """How often in all."""

    first_wait_s: float = 0.5
    """At most so long is waited after the first try, twice as long after each further one."""

    max_wait_s: float = 30.0
    """The longest wait, unless the server asks for a longer one."""

    timeout_s: float = 600.0
    """How long one try may take, and the longest wait a server may ask for. Long, since a server
    on the desk may take minutes for one answer."""


def wait_s(patience: Patience, attempt: int) -> float:
    """Say how long to wait after the `attempt`-th try: at random up to a limit that doubles.

    Chance keeps many workers from coming back all at once.
    """
    limit = min(patience.max_wait_s, patience.first_wait_s * 2.0 ** min(attempt - 1, 60))
    return random.uniform(0, limit)  # no secret depends on it


def told_s(header: str | None) -> float | None:
    """Read how long Retry-After asks to wait; it holds seconds or a date."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
