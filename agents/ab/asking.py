"""What an A/B run asks: every probe of some sets, once under each condition."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from agents.ab import BASELINE, PHASE
from agents.distill import Plan, started
from agents.distill import planned as planned_one
from agents.rephrase import rephrased
from agents.seeding import probes
from schemas import Kernel, Probed, Requested, Sampling
from schemas.base import Fact
from streams.errors import ConfigError
from streams.ids import run_id
from streams.log.door import Store
from streams.seeds import reason


class Draws(msgspec.Struct, frozen=True, kw_only=True):
    """The phase of an A/B run, as far as a plan asks for it."""

    sampling: Sampling
    name: str = PHASE


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an A/B test: its id follows from model, kernel and sampling, not from names."""

    phase: Draws
    model: str
    kernel: Kernel | None

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.kernel.name if self.kernel else BASELINE

    @property
    def run(self) -> str:
        """The run's id."""
        digest = self.kernel.digest if self.kernel else None
        return run_id(PHASE, "kernel" if digest else BASELINE, self.model, digest, self.sampling)

    @property
    def sampling(self) -> Sampling:
        """How answers are drawn: the same under every condition."""
        return self.phase.sampling


def conditions(model: str, sampling: Sampling, kernels: Sequence[Kernel]) -> list[Condition]:
    """The baseline first, then each kernel."""
    phase = Draws(sampling=sampling)
    return [Condition(phase=phase, model=model, kernel=kernel) for kernel in (None, *kernels)]


def kernels(given: Iterable[str]) -> list[Kernel]:
    """The kernels of `NAME=FILE`, each whole; without a name the file's stem is the name.

    Raises:
        ConfigError: A file can't be read or is empty, or two have one name or one text.
    """
    found: list[Kernel] = []
    for each in map(_kernel, given):
        for other in found:
            if each.name == other.name:
                raise ConfigError(
                    f'Two kernels are called "{each.name}"; give each a name of its own, as'
                    f" --kernel {each.name}2=FILE."
                )
            if each.digest == other.digest:
                raise ConfigError(
                    f'The kernels "{other.name}" and "{each.name}" are the same text, so that'
                    " nothing could differ; leave one out."
                )
        found.append(each)
    return found


def prompts(store: Store, sets: Sequence[str], *, rephrasings: bool) -> list[Probed]:
    """The original probes of these sets, each with its rephrasings behind it if asked for.

    Raises:
        ConfigError: The log has no such probe set; the message names those that it has.
    """
    originals = [each for each in probes(store) if not each.rephrasing_of]
    there = {each.set for each in originals}
    if missing := [name for name in sets if name not in there]:
        raise ConfigError(
            f'There is no probe set "{missing[0]}" on the log; there is'
            f" {', '.join(sorted(there)) or 'none'}. `lem seed` puts them there."
        )
    chosen = [each for each in originals if each.set in sets]
    return [p for each in chosen for p in (each, *(rephrased(each) if rephrasings else ()))]


def planned(
    store: Store,
    asked: Sequence[Condition],
    prompts: Sequence[Probed],
    *,
    samples: int,
    retry: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Plan]:
    """What the log lacks, a plan for each condition; nothing is written.

    Args:
        store: The log that already has some of it.
        asked: The conditions.
        prompts: What is asked under each.
        samples: How often.
        retry: Ask again what ended in an error.
        progress: Called with how many more requests were looked at.
    """
    return [
        planned_one(store, each, prompts, samples=samples, retry=retry, progress=progress)
        for each in asked
    ]


def facts(
    asked: Sequence[Condition], plans: Sequence[Plan], prompts: Sequence[Probed]
) -> Iterator[Fact]:
    """Rephrasings, runs, then requests: each condition once before any is asked a second time.

    So a test that is stopped has every condition of the samples that it has.
    """
    pairs = [(each, plan) for each, plan in zip(asked, plans, strict=True) if plan.requests]
    yield from (probed for probed in prompts if probed.rephrasing_of)
    yield from (started(each, plan) for each, plan in pairs)
    yield from sorted((r for _, plan in pairs for r in plan.requests), key=_sample)


def _sample(requested: Requested) -> int:
    return requested.sample


def _kernel(given: str) -> Kernel:
    name, said, place = given.partition("=")
    path = Path(place if said else given).expanduser()
    name = name.strip() if said else path.stem
    if not name or name == BASELINE:
        raise ConfigError(
            f'"{given}" names no kernel; write NAME=FILE, with another name than "{BASELINE}",'
            " which is what is asked without a kernel."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f'Kernel "{name}": {reason(path, error)}') from error
    if not text.strip():
        raise ConfigError(f'Kernel "{name}": {path} is empty; a kernel is a system prompt.')
    return Kernel(name=name, digest=hashlib.sha256(text.encode()).hexdigest(), text=text)
