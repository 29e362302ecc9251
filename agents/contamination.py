"""Contamination: whether a text overlaps with a probe that is kept for measuring.

A model that was trained on what it is measured with tells nothing. Three looks, the strictest
first: equal words, a run of shared words, and two texts of about one length that share most of
their word shingles. Punctuation, case and spacing never matter.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agents.words import normalised, runs, units
from schemas import Probed
from streams.envelope import events
from streams.log.door import Store
from streams.topics import PROBES

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN = 13
"""So many words in a row are no chance: the length that GPT-3's authors looked for."""
SHORTEST = 8
"""A prompt of fewer words is looked for only as a whole text: others may say it by chance."""
SHINGLE = 3
SIMILAR = 0.5
"""The least Jaccard similarity of word shingles: of 20 words two may have been replaced."""

_FACTOR = 0x9E3779B97F4A7C15  # odd, so that no bit of a word's hash is lost


class Overlap(NamedTuple):
    """A text that overlaps with a held-out probe."""

    probe: str
    """The probe's id."""
    how: Literal["equal", "words", "similar"]
    reason: str
    """A sentence for a person."""


class HeldOut:
    """The prompts that nothing may be trained on, indexed for many look-ups."""

    def __init__(self, prompts: Iterable[tuple[str, str]]) -> None:
        """Index the prompts.

        Args:
            prompts: Probe id and prompt; the same pair twice counts once.
        """
        self._prompts = sorted(set(prompts))
        self._units = [units(prompt) for _, prompt in self._prompts]
        self._equal: dict[str, str] = {}
        for (probe, prompt), found in zip(self._prompts, self._units, strict=True):
            self._equal.setdefault(_plain(prompt, found), probe)

    @property
    def count(self) -> int:
        """How many prompts are held out, rephrasings among them."""
        return len(self._prompts)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids and normalised prompts: what a check ran against."""
        sha256 = hashlib.sha256()
        for (probe, prompt), found in zip(self._prompts, self._units, strict=True):
            mark = hashlib.sha256(_plain(prompt, found).encode(errors="surrogatepass")).hexdigest()
            sha256.update(f"{len(probe)}:{probe}:{mark}\n".encode(errors="surrogatepass"))
        return sha256.hexdigest()

    def overlap(self, text: str, *, of: str = "text") -> Overlap | None:
        """The held-out probe that a text overlaps with; none where there is none.

        Args:
            text: A prompt or a response.
            of: What it is called in the reason.
        """
        if not self._prompts:
            return None
        found = units(text)
        if probe := self._equal.get(_plain(text, found)):
            return Overlap(probe, "equal", f"The {of} equals held-out probe {probe}.")
        return self._shared(found, of) or self._similar(found, of)

    def _shared(self, found: list[str], of: str) -> Overlap | None:
        single = _singles(found)
        for size, index in self._runs.items():
            for at, number, start in index.hits(single):
                run = found[at : at + size]
                if run == self._units[number][start : start + size]:
                    probe = self._prompts[number][0]
                    said = f'shares {size} words in a row with held-out probe {probe}: "'
                    return Overlap(probe, "words", f'The {of} {said}{" ".join(run)}".')
        return None

    def _similar(self, found: list[str], of: str) -> Overlap | None:
        best = max(self._alike(found), default=None)
        if best is None:
            return None
        alike, number = best[0], -best[1]
        probe = self._prompts[number][0]
        said = f"has {100 * alike:.0f} % of its word shingles in common with"
        return Overlap(probe, "similar", f"The {of} {said} held-out probe {probe}.")

    def _alike(self, found: list[str]) -> Iterator[tuple[float, int]]:
        """Similarities that are high enough, each with its prompt's negated number."""
        mine = {*runs(found, SHINGLE)}
        if not mine or len(mine) * SIMILAR > self._most_shingles:
            return
        for number in self._thirds.candidates(found, least=SIMILAR * len(mine)):
            theirs = {*runs(self._units[number], SHINGLE)}
            common = len(mine & theirs)
            if (alike := common / (len(mine) + len(theirs) - common)) >= SIMILAR:
                yield alike, -number

    @cached_property
    def _runs(self) -> dict[int, "_Index"]:
        """The runs to look for, by their length, the longest first."""
        sizes: dict[int, list[int]] = {}
        for number, found in enumerate(self._units):
            if len(found) >= SHORTEST:
                sizes.setdefault(min(len(found), RUN), []).append(number)
        return {size: _Index(self._units, sizes[size], size) for size in sorted(sizes)[::-1]}

    @cached_property
    def _thirds(self) -> "_Index":
        long = [number for number, found in enumerate(self._units) if len(found) >= SHORTEST]
        return _Index(self._units, long, SHINGLE)

    @cached_property
    def _most_shingles(self) -> int:
        return max(map(len, self._units))


class Lookup:
    """The held-out probes as the log has them, read on whenever an unknown run comes.

    A run asks what was on the log when it began; for what came later, whoever makes a dataset
    looks again.
    """

    def __init__(self, store: Store, sets: Collection[str]) -> None:
        self._store = store
        self._sets = frozenset(sets)
        self._runs: set[str | None] = set()
        self._next: dict[int, int] = {}
        self._prompts: set[tuple[str, str]] = set()
        self._found = HeldOut(())

    def of(self, run: str | None) -> HeldOut:
        """What is held out from this run's generations."""
        if self._sets and run not in self._runs:
            self._runs.add(run)
            self._read_on()
        return self._found

    def _read_on(self) -> None:
        told = events(self._store, PROBES.name, after=self._next)
        probes = [each for each in told if isinstance(each, Probed) and each.set in self._sets]
        if new := {(each.probe, each.prompt) for each in probes} - self._prompts:
            self._prompts |= new
            self._found = HeldOut(self._prompts)


def read(store: Store, sets: Collection[str]) -> HeldOut:
    """The probes of these sets on the log, with all their rephrasings."""
    return Lookup(store, sets).of(None)


class _Index:
    """Where runs of so many words stand in many prompts, by their hashes.

    Python's own hash of a word differs from process to process, so that it stays in here; what is
    found by it is compared word by word.
    """

    def __init__(self, prompts: list[list[str]], numbers: list[int], size: int) -> None:
        import numpy as np

        parts = [_hashes(_singles(prompts[number]), size) for number in numbers]
        lengths = [len(part) for part in parts]
        hashes = np.concatenate(parts) if parts else np.empty(0, np.uint64)
        order = np.argsort(hashes, kind="stable")  # the first probe of equal runs is told
        self._size, self._hashes = size, hashes[order]
        self._numbers = np.repeat(np.array(numbers, np.int64), lengths)[order]
        starts = np.concatenate([np.arange(n) for n in lengths]) if parts else order
        self._starts = starts[order]

    def hits(self, single: "NDArray[Any]") -> Iterator[tuple[int, int, int]]:
        """Where in a text a run begins, in which prompt it stands, and where there."""
        for at, left, right in self._spans(_hashes(single, self._size)):
            for place in range(left, right):
                yield at, int(self._numbers[place]), int(self._starts[place])

    def candidates(self, found: list[str], *, least: float) -> list[int]:
        """The prompts that share at least so many different runs with a text."""
        import numpy as np

        hashes = np.unique(_hashes(_singles(found), self._size))
        spans = [self._numbers[left:right] for _, left, right in self._spans(hashes)]
        if len(spans) < least:
            return []
        counts = np.bincount(np.concatenate([np.unique(span) for span in spans]))
        return [int(number) for number in np.flatnonzero(counts >= least)]

    def _spans(self, hashes: "NDArray[Any]") -> list[tuple[int, int, int]]:
        import numpy as np

        if not len(self._hashes):
            return []
        left = np.searchsorted(self._hashes, hashes)
        is_there = self._hashes[np.minimum(left, len(self._hashes) - 1)] == hashes
        there = np.flatnonzero(is_there)
        right = np.searchsorted(self._hashes, hashes[there], side="right")
        return list(zip(there.tolist(), left[there].tolist(), right.tolist(), strict=True))


def _singles(found: list[str]) -> "NDArray[Any]":
    import numpy as np

    return np.array([hash(word) for word in found], np.int64).view(np.uint64)


def _hashes(single: "NDArray[Any]", size: int) -> "NDArray[Any]":
    """A hash of each run of so many words."""
    import numpy as np

    total = np.zeros(max(len(single) - size + 1, 0), np.uint64)
    for at in range(size):
        total = total * np.uint64(_FACTOR) + single[at : at + len(total)]
    return total


def _plain(text: str, found: list[str]) -> str:
    """What equal texts have in common; signs count where there is nothing else."""
    return " ".join(found) or normalised(text)
