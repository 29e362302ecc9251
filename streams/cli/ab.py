"""`lem ab`: plan an A/B test of kernels; `lem ab report`: what it showed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened, viewed
from streams.cli.shown import Json, completed_later, near, progress, refuse_misplaced, show
from streams.config import Settings, settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.ab.asking import Condition
    from agents.distill import Plan
    from schemas import Probed, Sampling
    from streams.log.door import Store

app = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Sets = Annotated[
    list[str] | None, typer.Option("--probes", help="A probe set, as core; may be said again.")
]
Given = Annotated[
    list[str] | None,
    typer.Option("--kernel", metavar="NAME=FILE", help="A system prompt; may be said again."),
]
Model = Annotated[str | None, typer.Option(help="Model URL: mlx:…, openai:URL#MODEL, canned:FILE.")]
Samples = Annotated[int, typer.Option(min=1, help="How often each probe is asked.")]
Rephrasings = Annotated[
    bool, typer.Option("--rephrasings", help="Ask each probe's rephrasings too.")
]
Temperature = Annotated[float, typer.Option(min=0, max=100, help="0 is greedy.")]
TopP = Annotated[float, typer.Option(min=0, max=1, help="Nucleus sampling; 1 is off.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Where an answer is cut off.")]
Retry = Annotated[bool, typer.Option("--retry", help="Ask again what ended in an error.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")]
Wait = Annotated[bool, typer.Option("--wait", help="Work until all is answered, as `lem run`.")]

SomeModel = Annotated[str | None, typer.Option(help="Only models whose URL holds this text.")]
By = Annotated[str, typer.Option("--scorer", help="Name and version, as lek@2.1.")]
PhaseName = Annotated[
    str, typer.Option("--phase", help="Whose answers: ab, or history for imported ones.")
]
Out = Annotated[Path | None, typer.Option(help="Write the predecessor's A/B JSONL to this file.")]


@app.callback()
def ab(
    context: typer.Context,
    *,
    probes: Sets = None,
    kernel: Given = None,
    model: Model = None,
    samples: Samples = 1,
    rephrasings: Rephrasings = False,
    temperature: Temperature = 0.8,
    top_p: TopP = 0.95,
    max_tokens: MaxTokens = 4096,
    retry: Retry = False,
    dry_run: DryRun = False,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Ask every probe of a set without a kernel, and under each kernel named.

    `lem run` has them answered. What was planned before is not planned again: the same command
    goes on, and more samples, kernels or sets later add what is missing. `lem ab report` compares.

    Example: lem ab --probes core --kernel json=kernel/lek-1.json --kernel txt=kernel/lek-1.txt
    """
    if context.invoked_subcommand:
        refuse_misplaced(context)
        return
    if not probes:
        raise typer.BadParameter("name the probe sets to ask, as core", param_hint="--probes")
    found = settings({"model": model})
    drawn = _sampling(temperature, top_p, max_tokens, samples)
    asked = _conditions(found, drawn, kernel or [])
    with completed_later("What was planned stays"), opened(found) as store:
        prompts = _prompts(store, probes, rephrasings=rephrasings)
        plans = _planned(store, asked, prompts, samples=samples, retry=retry)
        if not dry_run:
            _write(store, asked, plans, prompts)
    _tell(asked, plans, as_json=as_json, dry_run=dry_run)
    if wait and not dry_run:
        from streams.cli.run import run

        run(until_idle=True)


@app.command()
def report(
    *,
    model: SomeModel = None,
    probes: Sets = None,
    by: By = "lek@2",
    phase: PhaseName = "ab",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare what was answered with each kernel and without.

    By probe, by category and over all: means, the difference from the baseline with its 95 %
    interval, p values corrected by Holm, and what follows. A probe with its rephrasings and samples
    counts once. Answers that the scorer has not scored yet are scored first.

    Example: lem ab report --probes core --scorer lek@2.1 --out ab.jsonl
    """
    from agents.ab.answers import Choice, trials
    from agents.ab.comparing import compared
    from streams.cli.comparison import export, score, show_trials

    found = settings()
    choice = Choice(phase=phase, model=model, sets=tuple(probes or ()))
    with opened(found, must_exist=True) as store:
        score(store, found, by, choice)
        with viewed(store, found) as views:
            chosen = trials(views, choice, by)
            lines = [compared(each.answers, each.conditions) for each in chosen]
            if out:
                export(views, chosen, lines, by, out)
    show_trials(chosen, lines, by, as_json=as_json)
    if out and not as_json:
        print(f"Written to {near(out.absolute())}.")


def _sampling(temperature: float, top_p: float, max_tokens: int, samples: int) -> "Sampling":
    from schemas import Sampling

    if samples > 1 and temperature == 0:
        raise ConfigError(
            f"At temperature 0 all {samples} samples of a probe are the same answer; ask for one,"
            " or name a --temperature."
        )
    return Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens)


def _conditions(found: Settings, sampling: "Sampling", given: list[str]) -> "list[Condition]":
    from agents.ab.asking import conditions, kernels
    from agents.models import check
    from streams.curriculum import load

    load(Path(found.curriculum))  # it may have no phase of our name
    asked = conditions(found.model, sampling, kernels(given))
    check(found.model)
    return asked


def _prompts(store: "Store", sets: list[str], *, rephrasings: bool) -> "list[Probed]":
    from agents.ab.asking import prompts

    return prompts(store, sets, rephrasings=rephrasings)


def _planned(
    store: "Store",
    asked: "list[Condition]",
    prompts: "list[Probed]",
    *,
    samples: int,
    retry: bool,
) -> "list[Plan]":
    from agents.ab.asking import planned

    with progress("planning", total=len(prompts) * samples * len(asked)) as bar:
        return planned(
            store,
            asked,
            prompts,
            samples=samples,
            retry=retry,
            progress=lambda count: bar.update(bar.task_ids[0], advance=count),
        )


def _write(
    store: "Store", asked: "list[Condition]", plans: "list[Plan]", prompts: "list[Probed]"
) -> None:
    from agents.ab.asking import facts
    from streams.envelope import written

    with progress("writing", total=sum(len(plan.requests) for plan in plans)) as bar:
        for count in written(store, facts(asked, plans, prompts)):
            bar.update(bar.task_ids[0], advance=count)


def _tell(asked: "list[Condition]", plans: "list[Plan]", *, as_json: bool, dry_run: bool) -> None:
    rows = [
        {
            "condition": each.name,
            "run": plan.run,
            "prompts": plan.prompts,
            "samples": plan.samples,
            "new requests": len(plan.requests),
            "known": plan.known,
        }
        for each, plan in zip(asked, plans, strict=True)
    ]
    show(rows, as_json=as_json, title=asked[0].model)
    if not as_json:
        then = "`lem run` asks them, `lem ab report` compares what came of it."
        print("Nothing was written." if dry_run else then)
