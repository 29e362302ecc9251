"""Shares: which of several models answers what is asked, by lot.

The lot falls by a hash of what is asked, the model aside, so that it falls alike on every machine
and whatever else is asked. Among models of unequal shares it falls as in weighted rendezvous
hashing: to change the shares, or to add a model, moves no more than it must.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence

from streams.errors import ConfigError

Shares = Mapping[str, float]
"""Model URLs and their shares, which add up to 1."""

_SHARE = re.compile(r"[0-9]*\.?[0-9]+")
_DRAWS = 2**48  # a float holds each of them, and the halves between


def drawn(shares: Shares, key: str) -> str:
    """The model that the lot falls on.

    Args:
        shares: At least one model.
        key: What is asked, without the model.
    """
    return min(shares, key=lambda model: _wait(model, key) / shares[model])


def parsed(values: Sequence[str]) -> dict[str, float]:
    """Shares as they are written on the command line: `URL`, or `URL=0.7` and `URL=0.3`.

    Raises:
        ConfigError: They do not add up to 1, a model of several has none, or is named twice.
    """
    found: dict[str, float] = {}
    for value in values:
        url, mark, share = value.rpartition("=")
        if not mark or not _SHARE.fullmatch(share):
            if len(values) > 1:
                raise ConfigError(
                    f"--model {value} has no share, but there are several models;"
                    " write --model URL=0.7 --model URL=0.3."
                )
            return {value: 1.0}
        if url in found:
            raise ConfigError(f"--model {url} is named twice; write it once, with its whole share.")
        found[url] = float(share)
    if not all(found.values()) or not math.isclose(sum(found.values()), 1, abs_tol=1e-6):
        got = ", ".join(f"{share:g}" for share in found.values())
        raise ConfigError(f"--model: shares should be above 0 and add up to 1, got {got}.")
    return found


def _wait(model: str, key: str) -> float:
    """How long a model would keep the key waiting, if its share were 1: exponential, by lot."""
    draw = int.from_bytes(hashlib.sha256(f"{model}\n{key}".encode()).digest()[:6])
    return -math.log((draw + 0.5) / _DRAWS)
