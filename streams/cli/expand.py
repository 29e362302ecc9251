"""`lem expand`: have a trained model answer, without a kernel, what was not asked before."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from streams.cli.context import opened
from streams.cli.planning import (
    MODEL_HELP,
    Amount,
    DryRun,
    Limit,
    Retry,
    Worker,
    asked,
    phase_of,
    planned,
    show,
)
from streams.cli.shown import Json
from streams.config import settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from schemas import Probed
    from streams.curriculum import Phase
    from streams.log.door import Store

Order = Literal["rare", "log"]

Models = Annotated[list[str], typer.Option("--model", help=MODEL_HELP)]
PhaseName = Annotated[
    str, typer.Option("--phase", help="The phase that says how answers are drawn and judged.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Only probes of this set, asked before or not; may be given again."),
]
Voice = Annotated[str | None, typer.Option(help="Only probes in this voice.")]
Region = Annotated[str | None, typer.Option(help="Only probes of this region.")]
Least = Annotated[
    int, typer.Option("--min-length", min=1, help="Leave out prompts of fewer characters.")
]
First = Annotated[
    Order, typer.Option("--order", help="Rare domains first, or in the order of the log.")
]


def expand(
    model: Models,
    *,
    phase: PhaseName = "expansion",
    sets: Sets = None,
    voice: Voice = None,
    region: Region = None,
    min_length: Least = 50,
    order: First = "rare",
    limit: Limit = None,
    worker: Worker = None,
    dry_run: DryRun = False,
    retry: Retry = False,
    as_json: Json = False,
) -> None:
    """Have a trained model answer what nobody was asked yet.

    It is asked without a kernel, each prompt once. Left out is what any other run has asked, so
    that neither gold nor a test is asked again, unless its set is named. What is planned first is
    asked first; with --limit, the same command again plans what comes next.

    Example: lem expand --model mlx:models/lem-4b --limit 500
    """
    found = settings({"worker": worker})
    chosen = phase_of(found, phase)
    if chosen.kernel:
        raise ConfigError(
            f'{found.curriculum}: phase "{phase}" asks with a kernel; an expansion asks without'
            " one. Name a phase whose kernel is null."
        )
    wanted = asked(found, chosen, model, None, kind="expand")
    amount = Amount(chosen.samples, limit, retry, dry_run)
    with opened(found) as store:
        prompts = _prompts(store, chosen, _Choice(sets, voice, region, min_length, order))
        plans = planned(store, wanted, prompts, amount)
    show(wanted, plans, amount, as_json=as_json)


class _Choice(NamedTuple):
    """Which probes are wanted, and in which order."""

    sets: list[str] | None
    voice: str | None
    region: str | None
    least: int
    order: Order


def _prompts(store: "Store", phase: "Phase", choice: _Choice) -> "list[Probed]":
    from agents.expand import asked_elsewhere, pending, rarest_first, written
    from agents.seeding import probes

    _refuse_held_out(choice.sets or (), phase)
    every = list(written(probes(store)))
    _refuse_unknown(choice.sets or (), {each.set for each in every})
    left_out = frozenset[str]() if choice.sets else asked_elsewhere(store, phase.name)
    fitting = (each for each in every if _fits(each, phase, choice))
    found = pending(fitting, least=choice.least, left_out=left_out)
    return rarest_first(found, every) if choice.order == "rare" else found


def _fits(probed: "Probed", phase: "Phase", choice: _Choice) -> bool:
    is_asked = probed.set in choice.sets if choice.sets else phase.asks(probed.set)
    marks = ((choice.voice, probed.voice), (choice.region, probed.region))
    return is_asked and all(
        wanted is None or wanted.casefold() == (has or "").casefold() for wanted, has in marks
    )


def _refuse_held_out(sets: Iterable[str], phase: "Phase") -> None:
    for name in sets:
        if name in phase.held_out:
            raise ConfigError(
                f"--set {name}: that set is held out for measuring, and what is answered here may"
                " be trained on. `lem ab` measures with it."
            )


def _refuse_unknown(sets: Iterable[str], there: set[str]) -> None:
    if not there:
        raise ConfigError(
            "The log holds no probes to expand. Put them there with `lem seed` or `lem import`."
        )
    for name in sets:
        if name not in there:
            names = ", ".join(sorted(there))
            raise ConfigError(f"--set {name}: the log has no such probe set; there are: {names}.")
