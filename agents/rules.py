"""What gate and dedup decide by: pure functions, without Faust, files or a clock.

Chance has no part in them: what is drawn by lot is drawn by a hash, so that a replay decides
as the first run did.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from schemas.decision import Finding, Verdict
from schemas.generation import Generated

if TYPE_CHECKING:
    from streams.curriculum import Gate

_WORD = re.compile(r"[^\W_]+")
# By `str.translate`, which for ASCII takes less than half of the time of `_WORD`.
_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")


def findings(
    generated: Generated, score: float, gate: "Gate", kernels: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Every rule that speaks against a generation, not only the first; none where it passes.

    Args:
        generated: What a model answered.
        score: By the scorer that the gate names.
        gate: The phase's bounds.
        kernels: Texts by name. All are looked for, whichever the generation was given.
    """
    reasons = {
        "outcome": _outcome(generated, gate),
        "threshold": _threshold(score, gate),
        "kernel_leak": _kernel_leak(generated.response, gate, kernels),
    }
    return tuple(Finding(rule=rule, reason=said) for rule, said in reasons.items() if said)


def verdict(
    generation_id: str, found: tuple[Finding, ...], *, review_share: float
) -> tuple[Verdict, tuple[Finding, ...]]:
    """Reject, hold or accept, and with what reasons.

    Args:
        generation_id: Decides, by its hash, whether a person shall look.
        found: What speaks against it; any one rejects.
        review_share: Of what passes, from 0.0, nobody looks, to 1.0, all is held.
    """
    if found:
        return "rejected", found
    if _drawn("review", generation_id) / _DRAWS < review_share:
        reason = f"Drawn for review: a person reads {100 * review_share:g} % of what passes."
        return "held", (Finding(rule="review", reason=reason),)
    return "accepted", ()


def leak(text: str, kernel: str, words: int) -> str | None:
    """The first run of so many words that a text shares with a kernel; none is no leak.

    Case, punctuation, line breaks and quoting don't matter. Of a kernel that is shorter than
    `words` all its words make a leak.
    """
    known, vocabulary = shingles(kernel, words), _vocabulary(kernel)
    size = len(next(iter(known), ()))
    runs = _familiar(words_of(text), vocabulary, size)
    return next((" ".join(run) for run in runs if run in known), None)


@lru_cache(maxsize=64)
def shingles(text: str, words: int) -> frozenset[tuple[str, ...]]:
    """Every run of so many words in a text, or the whole text where it has fewer.

    Remembered, since one kernel is compared with all generations of a run.
    """
    found = words_of(text)
    return frozenset(_runs(found, min(words, len(found))))


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, JSON's escapes undone, since a kernel may be JSON."""
    folded = _folded(unescaped(text))
    return folded.translate(_BLANKS).split() if folded.isascii() else _WORD.findall(folded)


def unescaped(text: str) -> str:
    """A text with JSON's escapes undone."""
    return _ESCAPE.sub(_meant, text)


def normalised(text: str) -> str:
    """A text as dedup sees it: one width, one case, single blanks between the words."""
    return " ".join(_folded(text).split())


def fingerprint(text: str) -> str:
    """SHA-256 of the normalised text; texts with one fingerprint are duplicates."""
    return hashlib.sha256(normalised(text).encode(errors="surrogatepass")).hexdigest()


def better(one: tuple[float, str], other: tuple[float, str]) -> bool:
    """Whether `one` is kept, of two duplicates told by score and generation id.

    The higher score wins, then the smaller id: never the first to arrive, which differs from
    run to run.
    """
    return (-one[0], one[1]) < (-other[0], other[1])


def split_of(
    original_probe: str, domain: str = "", *, train: int, valid: int
) -> Literal["train", "valid", "test"]:
    """The split of a probe and of all its rephrasings, which must not stand on both sides.

    It follows from the probe alone, so that further probes never move one.

    Args:
        original_probe: The id of the probe that was written by hand.
        domain: Each draws for itself.
        train: Per cent of the probes.
        valid: Per cent of the probes; what is left is test.
    """
    bucket = _drawn("split", f"{domain}:{original_probe}" if domain else original_probe) % 100
    if bucket < train:
        return "train"
    return "valid" if bucket < train + valid else "test"


def _outcome(generated: Generated, gate: "Gate") -> str | None:
    if generated.outcome in gate.outcomes:
        return None
    why = f": {generated.error.rstrip('.')}" if generated.error else ""
    return f"The outcome is {generated.outcome}, not {' or '.join(gate.outcomes)}{why}."


def _threshold(score: float, gate: "Gate") -> str | None:
    # Asked this way round, a score that is not a number doesn't pass.
    if gate.threshold is None or score >= gate.threshold:
        return None
    return f"The score {score} by {gate.scorer} is below {gate.threshold}."


def _kernel_leak(response: str, gate: "Gate", kernels: Mapping[str, str]) -> str | None:
    for name, kernel in sorted(kernels.items()):
        if run := leak(response, kernel, gate.leak_words):
            return f'The response repeats {len(run.split())} words of kernel {name}: "{run}".'
    return None


def _folded(text: str) -> str:
    """A text in one width and one case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _meant(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else " "


def _runs(words: list[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _familiar(words: list[str], vocabulary: frozenset[str], size: int) -> Iterator[tuple[str, ...]]:
    """The runs of which the vocabulary holds every word.

    Each is looked at from its end: a strange word there spares all that begin before it.
    """
    start = seen = 0  # what lies between them is in the vocabulary
    while (end := start + size) <= len(words):
        at = end - 1
        while at >= seen and words[at] in vocabulary:
            at -= 1
        if at < seen:
            yield tuple(words[start:end])
            at = start
        start, seen = at + 1, end


@lru_cache(maxsize=64)
def _vocabulary(kernel: str) -> frozenset[str]:
    return frozenset(words_of(kernel))


_DRAWS = 2**48  # a float holds each of them exactly


def _drawn(lot: str, key: str) -> int:
    """A number below `_DRAWS`, the same for the same lot and key on every machine."""
    return int.from_bytes(hashlib.sha256(f"{lot}:{key}".encode()).digest()[:6])
