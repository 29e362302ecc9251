"""The curriculum as code: phases, their gates and their training, read from one YAML file.

Checks types, names and ranges. Does not know which probes, kernels or scorers there are.
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from schemas.request import Sampling
from streams.errors import ConfigError
from streams.policy import Count, Share, digest, refuse_crossed
from streams.policy import Gate as Gate
from streams.seeds import LOADER, reason, refuse_repeats
from streams.sets import ProbeSet
from streams.sets import parsed as parsed_sets

Portion = Annotated[float, Meta(gt=0, le=1)]
Percent = Annotated[int, Meta(ge=0, le=100)]

EVERY_SET = "*"
"""Among a phase's probe sets: all that are on the log."""


class Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the original probes are divided, in percent."""

    train: Percent
    """To learn from."""

    valid: Percent
    """To watch the loss on while training."""

    test: Percent
    """To be kept aside."""

    def __post_init__(self) -> None:
        """Refuse shares that do not make a whole."""
        if (total := self.train + self.valid + self.test) != 100:
            raise ValueError(f"train, valid and test should add up to 100, got {total}")


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the phase aims at; told to people, not enforced: its gate does that."""

    examples: Count
    """Training rows."""

    words: tuple[Count, Count]
    """The least and the most words of a response."""

    def __post_init__(self) -> None:
        """Refuse bounds that no response can keep."""
        refuse_crossed(self.words)


class Lora(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The adapter's shape."""

    rank: Count
    """Its capacity."""

    dropout: Share
    """Against overfitting on a small dataset."""

    scale: Annotated[float, Meta(gt=0, le=1000)]
    """How strongly it speaks beside the frozen weights."""


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is trained on the phase's dataset, in mlx-lm's terms."""

    iterations: Count
    """Steps."""

    learning_rate: Annotated[float, Meta(gt=0, le=1)]
    """The optimizer's step size."""

    validate_every: Count
    """Steps between two looks at the validation loss."""

    checkpoint_every: Count
    """Steps between two saved adapters."""

    batch_size: Count
    """Rows a step; memory bounds it."""

    grad_accumulation_steps: Count
    """Steps whose gradients are added up before the weights move."""

    grad_checkpoint: bool
    """Compute activations twice to save memory."""

    max_seq_length: Count
    """Tokens; longer rows are cut."""

    num_layers: Annotated[int, Meta(ge=-1)]
    """How many layers, from the last, get an adapter; -1 is all."""

    optimizer: Literal["adam", "adamw", "muon", "sgd", "adafactor"]
    """By mlx-lm's name."""

    lora: Lora
    """The adapter."""


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phase, from what is asked to how a model is trained on it."""

    name: str
    """Its key in the file, as `1` or `demo`."""

    title: str
    """A few words."""

    purpose: str
    """One sentence."""

    probes: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The probe sets that are asked; `*` is every one."""

    rephrasings: bool
    """Whether the rephrasings of those probes are asked too."""

    kernel: str | None
    """The kernel's name; none for a phase without a system prompt."""

    samples: Count
    """How often each prompt is asked."""

    sampling: Sampling
    """How answers are drawn."""

    gate: Gate
    """What lets a generation pass."""

    split: Split
    """How the dataset is divided."""

    target: Target
    """What the phase aims at."""

    training: Training
    """How a model is trained on it."""

    models: dict[str, Portion] = {}
    """The share of the requests that each model answers, by URL; none where one model is asked."""

    held_out: tuple[str, ...] = ()
    """The probe sets that are only for measuring, in every phase."""

    mix: dict[str, Portion] = {}
    """The most that a model, by URL, may have of the dataset's rows; others have no such bound."""

    rephrasings_per_example: Annotated[int, Meta(ge=0, le=3)] = 0
    """Rephrasings whose prompt becomes a further row with an original's accepted answer."""

    def __post_init__(self) -> None:
        """Refuse shares that do not make a whole, and to ask what is held out."""
        if named := sorted({*self.probes} & {*self.held_out}):
            raise ValueError(
                f'probe set "{named[0]}" is held out for measuring; take it out of this phase\'s'
                " probes, or out of `held_out`"
            )
        if self.models and not math.isclose(total := sum(self.models.values()), 1, abs_tol=1e-6):
            raise ValueError(f"the shares of models should add up to 1, got {total:g}")

    def asks(self, probe_set: str) -> bool:
        """Whether the probes of this set are asked; never those that are held out."""
        if probe_set in self.held_out:
            return False
        return probe_set in self.probes or EVERY_SET in self.probes

    @property
    def policy(self) -> str:
        """SHA-256 over all that decides: another threshold is another policy."""
        return digest(self.gate, self.held_out)


class Curriculum(msgspec.Struct, frozen=True):
    """All phases and the sets that are bound, by name, in the order of the file."""

    phases: dict[str, Phase]
    sets: dict[str, ProbeSet] = {}

    held_out: tuple[str, ...] = ()
    """The probe sets that are only for measuring: none is asked or trained on, in any phase."""

    def phase(self, name: str) -> Phase:
        """Return one phase.

        Raises:
            ConfigError: There is no such phase; the message lists those that there are.
        """
        if name not in self.phases:
            raise ConfigError(f'No phase "{name}"; there are {", ".join(self.phases)}.')
        return self.phases[name]


def load(path: Path) -> Curriculum:
    """Read the curriculum.

    Raises:
        ConfigError: The file can't be read, is not YAML, or a value in it can't be used; the
            message names the line or the phase and the value's place in it.
    """
    parsed = _parsed(path)
    phases, held_out = _phases(path, parsed), _held_out(path, parsed)
    found = {str(key): _phase(path, str(key), body, held_out) for key, body in phases.items()}
    return Curriculum(found, parsed_sets(path, parsed.get("sets", {})), held_out)


class _Drawing(Sampling, frozen=True, kw_only=True, forbid_unknown_fields=True):
    # `Sampling` belongs to an event and takes what was logged; a file written by hand gets
    # ranges, and a misspelt key must not quietly leave a default in its place.
    temperature: Annotated[float, Meta(ge=0, le=100)] = 0.8
    top_p: Annotated[float, Meta(gt=0, le=1)] = 0.95
    top_k: Annotated[int, Meta(ge=0)] = 0
    min_p: Share = 0.0
    max_tokens: Count = 4096


class _Ranges(msgspec.Struct):
    sampling: _Drawing


def _parsed(path: Path) -> Any:
    try:
        loader = LOADER(path.read_text(encoding="utf-8-sig"))
        root = loader.get_single_node()
        refuse_repeats(root)
        return loader.construct_document(root) if root else None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(reason(path, error)) from error


def _phases(path: Path, parsed: Any) -> dict[Any, Any]:
    phases = parsed.get("phases") if isinstance(parsed, dict) else None
    if not isinstance(phases, dict) or not phases:
        raise ConfigError(f'{path} holds no phases; it needs a mapping "phases" of name to phase.')
    if unknown := [str(key) for key in parsed if key not in _KEYS]:
        there = ", ".join(f'"{key}"' for key in _KEYS)
        raise ConfigError(f'{path} has an unknown key "{unknown[0]}"; there are {there}.')
    return phases


def _held_out(path: Path, parsed: dict[str, Any]) -> tuple[str, ...]:
    try:
        return msgspec.convert(parsed.get("held_out", []), tuple[str, ...])
    except msgspec.ValidationError as error:
        raise ConfigError(f'{path}: "held_out" is not a list of probe sets: {error}') from error


_KEYS = ("phases", "sets", "held_out")
_TAKEN = {"ab": "answers of `lem ab`", "draft": "drafts", "history": "imported generations"}


def _phase(path: Path, name: str, body: Any, held_out: tuple[str, ...]) -> Phase:
    if isinstance(body, dict) and "name" in body:
        raise ConfigError(f'{path}: phase "{name}": its key is its name; take out "name".')
    if isinstance(body, dict) and "held_out" in body:
        raise ConfigError(
            f'{path}: phase "{name}": what is held out is so in every phase; write "held_out"'
            ' beside "phases".'
        )
    if name in _TAKEN:
        raise ConfigError(
            f'{path}: phase "{name}": {_TAKEN[name]} go by that name, and no gate is to take them'
            " up; name it otherwise."
        )
    named = {**body, "name": name, "held_out": held_out} if isinstance(body, dict) else body
    try:
        phase = msgspec.convert(named, Phase)
        msgspec.convert(named, _Ranges)
    except msgspec.ValidationError as error:
        raise ConfigError(f'{path}: phase "{name}": {error}') from error
    return phase
