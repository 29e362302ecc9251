"""`lem distill`: open a run of a phase and plan its requests."""

from typing import TYPE_CHECKING, Annotated

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
    from schemas import Kernel, Probed
    from streams.curriculum import Phase
    from streams.log.door import Store

PhaseName = Annotated[str, typer.Option("--phase", help="A phase of the curriculum, as 1.")]
Models = Annotated[list[str] | None, typer.Option("--model", help=MODEL_HELP)]
Samples = Annotated[
    int | None, typer.Option(min=1, help="How often each prompt is asked; the phase's if none.")
]
Sandwich = Annotated[
    bool,
    typer.Option(
        "--sandwich", help="The axioms as the system message, the kernel behind the prompt."
    ),
]


def distill(
    phase: PhaseName,
    *,
    model: Models = None,
    sandwich: Sandwich = False,
    samples: Samples = None,
    limit: Limit = None,
    worker: Worker = None,
    dry_run: DryRun = False,
    retry: Retry = False,
    as_json: Json = False,
) -> None:
    """Open a run and plan its requests.

    `lem run` then asks them. What was planned before is not planned again: more samples later
    take the same run further. Several models make several runs; which model gets which sample of
    a prompt stays as it is, whatever else is planned.

    Example: lem distill --phase 1 --samples 10 --model mlx:mlx-community/gemma-3-1b-it-qat-4bit
    """
    found = settings({"worker": worker})
    chosen = phase_of(found, phase)
    kernel = _kernel(chosen, found.curriculum, sandwich=sandwich)
    wanted = asked(found, chosen, model or (), kernel, kind="distill")
    amount = Amount(samples or chosen.samples, limit, retry, dry_run)
    with opened(found) as store:
        plans = planned(store, wanted, _prompts(store, chosen, dry_run=dry_run), amount)
    show(wanted, plans, amount, as_json=as_json)


def _kernel(phase: "Phase", place: str, *, sandwich: bool) -> "Kernel | None":
    from agents import asking

    if phase.kernel is None:
        if sandwich:
            raise ConfigError(
                f'{place}: phase "{phase.name}" asks without a kernel, so there is none to stand'
                " behind the prompt; name a phase that has one."
            )
        return None
    try:
        return (asking.sandwich if sandwich else asking.plain)(phase.kernel)
    except LookupError as error:
        raise ConfigError(f'{place}: phase "{phase.name}": {error.args[0]}') from error


def _prompts(store: "Store", phase: "Phase", *, dry_run: bool) -> "list[Probed]":
    """The phase's probes, each with its rephrasings behind it where the phase asks for them."""
    from agents.expand import written
    from agents.rephrase import rephrased
    from agents.seeding import probes
    from streams.envelope import draft

    originals = [each for each in written(probes(store)) if phase.asks(each.set)]
    if not originals:
        sets = ", ".join(phase.probes)
        raise ConfigError(
            f'Phase "{phase.name}" asks the probe sets {sets}, but the log holds none of them.'
            " Put them there with `lem seed`."
        )
    if not phase.rephrasings:
        return originals
    # The agent makes the same ones when it runs; planning must not depend on that.
    found = [each for p in originals for each in (p, *rephrased(p))]
    if not dry_run:
        store.append([draft(each) for each in found])
    return found
