"""`lem draft`: have a model draft probes; a person says what becomes of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.context import opened, viewed
from streams.cli.log import by_id
from streams.cli.planning import Amount, Asked, DryRun, Retry, Worker, planned
from streams.cli.planning import show as show_plans
from streams.cli.shown import Json, harmless, json_lines, refuse_misplaced
from streams.config import Settings, settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.drafts import Draft, Known
    from schemas.base import Fact
    from streams.curriculum import Curriculum
    from streams.log.door import Store
    from streams.sets import ProbeSet

app = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Set = Annotated[str | None, typer.Option("--set", help="The probe set, as perspectives.")]
Domain = Annotated[str | None, typer.Option(help="One of the set's domains.")]
Model = Annotated[str | None, typer.Option(help="Model URL: mlx:…, openai:URL#MODEL, canned:FILE.")]
Count = Annotated[int, typer.Option(min=1, help="How many drafts there are to be in the end.")]
Language = Annotated[str, typer.Option(help="BCP 47 tag of the language to write in.")]
Temperature = Annotated[float, typer.Option(min=0, max=100, help="Higher is more varied.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Where a draft is cut off.")]

Id = Annotated[str, typer.Argument(metavar="ID", help="The beginning of a draft's id.")]
Name = Annotated[str | None, typer.Option("--as", help="The probe id; it follows from the text.")]
Reviewer = Annotated[
    str | None, typer.Option(help="Who looked; LEM_REVIEWER or the login name if none.")
]
Note = Annotated[str, typer.Option(help="In the reviewer's words.")]
Every = Annotated[bool, typer.Option("--all", help="Those that were looked at, too.")]


@app.callback()
def draft(
    context: typer.Context,
    *,
    of_set: Set = None,
    domain: Domain = None,
    model: Model = None,
    count: Count = 10,
    language: Language = "en",
    temperature: Temperature = 0.9,
    max_tokens: MaxTokens = 512,
    worker: Worker = None,
    retry: Retry = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Have a model draft probes of a set and a domain, by the set's template in the curriculum.

    `lem run` has them written; `lem draft list` shows what waits for a person. The same command
    again plans nothing new, and a higher --count what is missing.

    Example: lem draft --set perspectives --domain education --model mlx:models/lem-4b --count 10
    """
    if context.invoked_subcommand:
        refuse_misplaced(context)
        return
    if not of_set or not domain:
        raise typer.BadParameter("name a --set and one of its domains", param_hint="--domain")
    from agents.drafting import Drawing, Question, Wish, bound, prompts
    from agents.models import check
    from schemas import Sampling

    found = settings({"model": model, "worker": worker})
    wish = Wish(of_set, domain, language)
    wanted = bound(_curriculum(found), wish)
    check(found.model)
    drawing = Drawing(sampling=Sampling(temperature=temperature, max_tokens=max_tokens))
    question = Question(phase=drawing, model=found.model, set=of_set, template=wanted.draft or "")
    asked, amount = Asked([question], {found.model: 1.0}), Amount(1, None, retry, dry_run)
    with opened(found) as store:
        plans = planned(store, asked, prompts(store, question, wish, wanted, count=count), amount)
    show_plans(asked, plans, amount, as_json=as_json)


@app.command(name="list")
def list_(*, every: Every = False, as_json: Json = False) -> None:
    """Show the drafts that wait for a person, each with what speaks against it.

    Example: lem draft list --json
    """
    from agents.drafts import known

    found = settings()
    with opened(found, must_exist=True) as store:
        there = known(store)
        sets = _curriculum(found).sets
        rows = [_row(each, sets, there) for each in _drafts(store, found)]
    shown = [row for row in rows if every or row["verdict"] is None]
    if as_json:
        json_lines(shown)
        return
    for row in shown:
        _print(row)
    if not shown:
        print(
            "No draft waits. `lem draft --set … --domain …` asks for some, `lem run` writes them."
        )


@app.command()
def accept(
    draft_id: Id,
    *,
    name: Name = None,
    reviewer: Reviewer = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make a draft a probe, unless something speaks against it, as `lem seed --check` would tell.

    Example: lem draft accept 3fa9c2d1 --as M131_EDUCATION_FERRY_SCHOOL
    """
    from agents.drafts import accepted, faults, known
    from agents.reviewing.saying import reviewer as named

    found = settings({"reviewer": reviewer})
    by = named(found.reviewer)
    with opened(found, must_exist=True) as store:
        one, there = _one(store, draft_id), known(store)
        own = there.probe_of.get(one.generated.id)
        chosen = name or (own.probe if own else one.name)
        if wrong := list(faults(one, _curriculum(found).sets, there, chosen)):
            raise ConfigError("\n  ".join(wrong))
        new = accepted(one, there, chosen, reviewer=by, note=note)
        _write(store, new, dry_run=dry_run)
    _tell(one, "accepted", new, dry_run=dry_run, as_json=as_json, probe=chosen)


@app.command()
def reject(
    draft_id: Id,
    *,
    note: Annotated[str, typer.Option(help="Why, in the reviewer's words.")],
    reviewer: Reviewer = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put a draft aside; it stays on the log, and no probe comes of it.

    Example: lem draft reject 3fa9c2d1 --note "Two of the four want the same thing."
    """
    from agents.drafts import known, rejected
    from agents.reviewing.saying import reviewer as named

    found = settings({"reviewer": reviewer})
    by = named(found.reviewer)
    with opened(found, must_exist=True) as store:
        one = _one(store, draft_id)
        new = rejected(one, known(store), reviewer=by, note=note)
        _write(store, new, dry_run=dry_run)
    _tell(one, "rejected", new, dry_run=dry_run, as_json=as_json)


def _curriculum(found: Settings) -> "Curriculum":
    from streams.curriculum import load

    return load(Path(found.curriculum))


def _drafts(store: "Store", found: Settings) -> "Iterator[Draft]":
    """In the order in which they were written; the views know which of all generations they are."""
    from agents.drafting import PHASE
    from agents.drafts import read
    from schemas import Generated
    from streams import envelope

    with viewed(store, found) as views:
        query = 'select id from generations where phase = ? order by "at", id'
        ids = [row["id"] for row in views.rows(query, (PHASE,))]
    for each in ids:
        yield read(envelope.found(store, each, Generated, by="The view generations"))


def _one(store: "Store", prefix: str) -> "Draft":
    from agents.drafts import read
    from schemas import Generated
    from streams.envelope import event

    told = [event(record) for record in by_id(store, prefix)]
    answers = [each for each in told if isinstance(each, Generated)]
    if len(answers) != 1:
        raise ConfigError(
            f'"{prefix}" begins the ids of {len(answers)} generations; `lem draft list` shows those'
            " of the drafts."
        )
    return read(answers[0])


def _row(one: "Draft", sets: "dict[str, ProbeSet]", there: "Known") -> dict[str, Any]:
    from agents.drafts import faults

    review = there.reviews.get(one.generated.id)
    own = there.probe_of.get(one.generated.id)
    name = own.probe if own else one.name
    return {
        "draft": one.generated.id,
        "set": one.wish.set,
        "domain": one.wish.domain,
        "language": one.wish.language,
        "model": one.generated.model,
        "probe": name,
        "prompt": one.prompt,
        "stakeholders": one.stakeholders,
        "faults": list(faults(one, sets, there, name)),
        "verdict": review.verdict if review else None,
        "reviewer": review.reviewer if review else None,
    }


def _print(row: dict[str, Any]) -> None:
    lines = [
        f"{row['draft'][:8]}  {row['set']}, {row['domain']}, {row['language']}  {row['model']}",
        f"  {row['prompt']}",
    ]
    if row["stakeholders"]:
        lines.append(f"  Stakeholders: {'; '.join(row['stakeholders'])}")
    lines += [f"  ! {fault}" for fault in row["faults"]]
    if row["verdict"]:
        lines.append(f"  {row['verdict']} by {row['reviewer']}")
    print(harmless("\n".join(lines)))


def _write(store: "Store", new: "list[Fact]", *, dry_run: bool) -> None:
    from streams.envelope import draft as record

    if not dry_run:
        store.append([record(each) for each in new])


def _tell(
    one: "Draft",
    verdict: str,
    new: "list[Fact]",
    *,
    dry_run: bool,
    as_json: bool,
    probe: str | None = None,
) -> None:
    if as_json:
        row = {
            "draft": one.generated.id,
            "verdict": verdict,
            "probe": probe,
            "new events": len(new),
        }
        json_lines([row])
        return
    as_probe = f" as {probe}" if probe else ""
    then = " Nothing was written." if dry_run else ""
    print(f"Draft {one.generated.id[:8]} {verdict}{as_probe}; {len(new)} new events.{then}")
