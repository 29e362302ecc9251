"""What the commands that open runs share: models and their shares, the plan, its writing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from streams.cli.shown import harmless, json_lines, progress
from streams.cli.tail import quoted
from streams.config import Settings

if TYPE_CHECKING:
    from agents.distill import Asking, Plan
    from schemas import Kernel, Probed
    from streams.curriculum import Phase
    from streams.log.door import Store

MODEL_HELP = (
    "Model URL: mlx:…, openai:URL#MODEL, canned:FILE. Several, each with its share: "
    "--model URL=0.7 --model URL=0.3."
)
Limit = Annotated[int | None, typer.Option(min=1, help="Plan at most so many new requests.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")]
Retry = Annotated[bool, typer.Option("--retry", help="Ask again what ended in an error.")]
Worker = Annotated[
    str | None, typer.Option(help="Who writes the events, as m1-gold; the host's name if none.")
]

_SHOWN = 10  # requests of a plan that is only shown


class Asked(NamedTuple):
    """What is asked of whom, and how much of it each is asked."""

    questions: "Sequence[Asking]"
    """One for each model."""

    shares: dict[str, float]


class Amount(NamedTuple):
    """How much of it is planned."""

    samples: int
    limit: int | None
    retry: bool
    dry_run: bool


def phase_of(found: Settings, name: str) -> "Phase":
    """The phase of this name, whose scorer is there.

    Raises:
        ConfigError: There is no such phase, or no such scorer.
    """
    from agents.scorers import scorer
    from streams.curriculum import load

    phase = load(Path(found.curriculum)).phase(name)
    scorer(phase.gate.scorer)
    return phase


def asked(
    found: Settings, phase: "Phase", models: Sequence[str], kernel: "Kernel | None", *, kind: str
) -> Asked:
    """The questions: to the models that are named, or the phase's, or the one of the settings.

    Raises:
        ConfigError: Their shares do not fit.
        ModelError: One of them can't be opened.
    """
    from agents.distill import Question
    from agents.models import check
    from agents.shares import parsed

    shares = parsed(models) if models else dict(phase.models) or {found.model: 1.0}
    for model in shares:
        check(model)
    questions = [Question(phase=phase, model=each, kernel=kernel, kind=kind) for each in shares]
    return Asked(questions, shares)


def planned(store: "Store", wanted: Asked, prompts: "list[Probed]", amount: Amount) -> "list[Plan]":
    """One plan for each model; what is new is on the log afterwards, unless it is only shown."""
    from agents.distill import shared

    with progress("planning", total=len(prompts) * amount.samples) as bar:
        plans = shared(
            store,
            wanted.questions,
            wanted.shares,
            prompts,
            samples=amount.samples,
            limit=amount.limit,
            retry=amount.retry,
            progress=lambda count: bar.update(bar.task_ids[0], advance=count),
        )
    if not amount.dry_run:
        _write(store, wanted, plans)
    return plans


def show(wanted: Asked, plans: "list[Plan]", amount: Amount, *, as_json: bool) -> None:
    """Print the plans; of one that is only shown, its first requests too."""
    if as_json:
        json_lines(_row(each, plan) for each, plan in zip(wanted.questions, plans, strict=True))
        return
    for question, plan in zip(wanted.questions, plans, strict=True):
        kernel = question.kernel.name if question.kernel else "none"
        print(f"{plan.run}  phase {question.phase.name}  {question.model}  kernel {kernel}")
        share = f"{100 * wanted.shares[question.model]:g} % of " if len(plans) > 1 else ""
        print(f"  {share}{plan.prompts} prompts, {plan.samples} samples each:", end=" ")
        print(f"{len(plan.requests)} new requests, {plan.known} known")
        for each in plan.requests[:_SHOWN] if amount.dry_run else ():
            print(f"    {each.probe} #{each.sample}  {harmless(quoted(each.prompt)[:120])}")
    print("  Nothing was written." if amount.dry_run else "  `lem run` asks them.")


def _row(question: "Asking", plan: "Plan") -> dict[str, object]:
    return {
        "run": plan.run,
        "phase": question.phase.name,
        "model": question.model,
        "kernel": question.kernel.name if question.kernel else None,
        "prompts": plan.prompts,
        "samples": plan.samples,
        "new requests": len(plan.requests),
        "known": plan.known,
    }


def _write(store: "Store", wanted: Asked, plans: "list[Plan]") -> None:
    """Write run after run, so that the worker need not change models at every request."""
    from agents.distill import started
    from streams.envelope import written

    pairs = [(q, p) for q, p in zip(wanted.questions, plans, strict=True) if p.requests]
    facts = [fact for q, p in pairs for fact in (started(q, p), *p.requests)]
    with progress("writing", total=len(facts)) as bar:
        for count in written(store, facts):
            bar.update(bar.task_ids[0], advance=count)
