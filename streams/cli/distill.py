"""`lem distill`: open a run of a phase and plan its requests."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened
from streams.cli.shown import Json, json_lines, progress
from streams.config import Settings, settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.distill import Plan, Question
    from schemas import Kernel, Probed
    from streams.curriculum import Phase
    from streams.log.door import Store

PhaseName = Annotated[str, typer.Option("--phase", help="A phase of the curriculum, as 1.")]
Model = Annotated[str | None, typer.Option(help="Model URL: mlx:…, openai:URL#MODEL, canned:FILE.")]
Samples = Annotated[
    int | None, typer.Option(min=1, help="How often each prompt is asked; the phase's if none.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Plan at most so many new requests.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")]
Retry = Annotated[bool, typer.Option("--retry", help="Ask again what ended in an error.")]


def distill(
    phase: PhaseName,
    *,
    model: Model = None,
    samples: Samples = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    retry: Retry = False,
    as_json: Json = False,
) -> None:
    """Open a run and plan its requests.

    `lem run` then asks them. What was planned before is not planned again: more samples later
    take the same run further.

    Example: lem distill --phase 1 --samples 10 --model mlx:mlx-community/gemma-3-1b-it-qat-4bit
    """
    from agents.distill import planned

    found = settings({"model": model})
    question = _question(found, phase)
    with opened(found) as store:
        prompts = _prompts(store, question.phase, dry_run=dry_run)
        often = samples or question.phase.samples
        with progress("planning", total=len(prompts) * often) as bar:
            plan = planned(
                store,
                question,
                prompts,
                samples=often,
                limit=limit,
                retry=retry,
                progress=lambda count: bar.update(bar.task_ids[0], advance=count),
            )
        if plan.requests and not dry_run:
            _write(store, question, plan)
    row = {
        "run": plan.run,
        "phase": phase,
        "model": question.model,
        "kernel": question.kernel.name if question.kernel else None,
        "prompts": plan.prompts,
        "samples": plan.samples,
        "new requests": len(plan.requests),
        "known": plan.known,
    }
    if as_json:
        json_lines([row])
    else:
        print(f"{plan.run}  phase {phase}  {question.model}  kernel {row['kernel'] or 'none'}")
        print(f"  {plan.prompts} prompts, {plan.samples} samples each:", end=" ")
        print(f"{len(plan.requests)} new requests, {plan.known} known")
        print("  Nothing was written." if dry_run else "  `lem run` asks them.")


def _question(found: Settings, name: str) -> "Question":
    from pathlib import Path

    from agents.distill import Question
    from agents.models import check
    from agents.scorers import scorer
    from streams.curriculum import load

    phase = load(Path(found.curriculum)).phase(name)
    scorer(phase.gate.scorer)
    check(found.model)
    return Question(phase=phase, model=found.model, kernel=_kernel(phase, found.curriculum))


def _kernel(phase: "Phase", place: str) -> "Kernel | None":
    import kernel
    from schemas import Kernel

    if phase.kernel is None:
        return None
    try:
        text, digest = kernel.text(phase.kernel), kernel.digest(phase.kernel)
    except LookupError as error:
        raise ConfigError(f'{place}: phase "{phase.name}": {error.args[0]}') from error
    return Kernel(name=phase.kernel, digest=digest, text=text)


def _prompts(store: "Store", phase: "Phase", *, dry_run: bool) -> "list[Probed]":
    """The phase's probes, each with its rephrasings behind it where the phase asks for them."""
    from agents.rephrase import rephrased
    from agents.seeding import probes
    from streams.envelope import draft

    originals = [p for p in probes(store) if p.set in phase.probes and not p.rephrasing_of]
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


def _write(store: "Store", question: "Question", plan: "Plan") -> None:
    from agents.distill import started
    from streams.envelope import written

    with progress("writing", total=len(plan.requests)) as bar:
        for count in written(store, [started(question, plan), *plan.requests]):
            bar.update(bar.task_ids[0], advance=count)
