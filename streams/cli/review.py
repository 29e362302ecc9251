"""`lem review`: what waits for a person, in the terminal, by file, or one verdict from a script."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from streams.cli.context import opened, viewed
from streams.cli.shown import Json, completed_later, console, json_lines
from streams.config import Settings, settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from agents.reviewing.queue import Case
    from schemas.review import Review
    from streams.log.door import Store

Order = Literal["doubt", "near", "disputed", "log"]

Id = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="The beginning of a generation's id, on hold or not."),
]
PhaseName = Annotated[str | None, typer.Option("--phase", help="What this phase holds; all else.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]
Reviewer = Annotated[
    str | None, typer.Option(help="Who reviews; LEM_REVIEWER or the login name if none.")
]
First = Annotated[
    Order,
    typer.Option(
        "--order",
        help="Near the threshold and disputed between scorers first; one of both alone; as logged.",
    ),
]
Accept = Annotated[bool, typer.Option("--accept", help="Accept ID without a terminal.")]
Reject = Annotated[bool, typer.Option("--reject", help="Reject ID without a terminal.")]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take your verdict on ID back.")]
Note = Annotated[str, typer.Option(help="To stand beside that verdict.")]
Export = Annotated[
    Path | None, typer.Option(help="Write what waits to FILE.csv or FILE.jsonl, to be filled in.")
]
Import = Annotated[
    Path | None,
    typer.Option("--import", help="Read verdicts from such a file; twice adds nothing."),
]
Agreement = Annotated[
    bool, typer.Option("--agreement", help="How far reviewers and scorers agree: Cohen's kappa.")
]


def review(
    generation: Id = None,
    *,
    phase: PhaseName = None,
    limit: Limit = None,
    order: First = "doubt",
    reviewer: Reviewer = None,
    accept: Accept = False,
    reject: Reject = False,
    withdraw: Withdraw = False,
    note: Note = "",
    export: Export = None,
    import_: Import = None,
    agreement: Agreement = False,
    as_json: Json = False,
) -> None:
    """Review what is on hold: read it, accept or reject it, with a key for each.

    First comes what is in most doubt: near its threshold, disputed between scorers. Each verdict is
    on the log at once, under your name; the latest one counts. What gate or dedup refused stays
    refused, whatever a reviewer says; what they passed a reviewer may refuse, also by ID.

    Example: lem review --phase 1 --limit 20
    """
    from agents.reviewing.saying import reviewer as named
    from streams.cli import agreeing, sheets

    found = settings({"reviewer": reviewer})
    verdict = _verdict(accept=accept, reject=reject, withdraw=withdraw)
    _check(generation, verdict, note)
    _refuse_both(generation, export, import_, agreement)
    with opened(found, must_exist=True) as store:
        if agreement:
            agreeing.show(store, found, phase, as_json=as_json)
            return
        if import_:
            sheets.import_(store, found, named(found.reviewer), import_)
            return
        cases = _cases(store, found, generation, _Wanted(phase, order, limit))
        if export:
            sheets.export(store, cases, export)
        elif verdict:
            _say(store, cases[0], named(found.reviewer), verdict, note)
        elif as_json:
            json_lines(cases)
        else:
            _read(store, cases, named(found.reviewer))


def _refuse_both(*given: object) -> None:
    if sum(bool(each) for each in given) > 1:
        raise typer.BadParameter("ID, --export, --import and --agreement: one of them.")


class _Wanted(msgspec.Struct, frozen=True):
    """What of the queue."""

    phase: str | None
    order: Order
    limit: int | None


def _verdict(*, accept: bool, reject: bool, withdraw: bool) -> "Review | None":
    given: dict[Review, bool] = {"accepted": accept, "rejected": reject, "withdrawn": withdraw}
    said = [verdict for verdict, is_given in given.items() if is_given]
    if len(said) > 1:
        raise typer.BadParameter("--accept, --reject and --withdraw: one of them.")
    return said[0] if said else None


def _check(generation: str | None, verdict: "Review | None", note: str) -> None:
    if verdict and not generation:
        raise typer.BadParameter("A verdict without a terminal needs the ID of a generation.")
    if note and verdict in (None, "withdrawn"):
        raise typer.BadParameter("--note stands beside --accept or --reject.")


def _cases(
    store: "Store", found: Settings, generation: str | None, wanted: _Wanted
) -> "list[Case]":
    from agents.reviewing.queue import named, waiting
    from streams.curriculum import load

    curriculum = load(Path(found.curriculum))
    if wanted.phase:
        curriculum.phase(wanted.phase)
    whole = _whole_id(store, generation) if generation else None
    with viewed(store, found, curriculum) as views:
        if whole:
            return named(views, [whole])
        values: dict[str, Any] = msgspec.structs.asdict(wanted)
        return waiting(views, **values)


def _whole_id(store: "Store", prefix: str) -> str:
    """The id of the one generation that begins so, or that the event so named is about.

    Raises:
        ConfigError: It is none, or it could be several.
    """
    from schemas import Generated
    from streams import envelope
    from streams.cli.log import by_id

    events = [envelope.event(record) for record in by_id(store, prefix)]
    ids = [event.id for event in events if isinstance(event, Generated)]
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise ConfigError(f'"{prefix}" begins the ids of {len(ids)} generations; give more digits.')
    about = getattr(events[0], "generation", None)
    hint = f"it is about {about}" if about else "`lem explain` shows what came of it"
    raise ConfigError(f"{events[0].id} is no generation, which alone can be reviewed; {hint}.")


def _say(store: "Store", case: "Case", by: str, verdict: "Review", note: str) -> None:
    from agents.reviewing.saying import Reviews, review
    from agents.reviewing.taking import is_overruled

    reviews = Reviews(store)
    last = reviews.of(case.generation)
    if verdict == "withdrawn":
        if not reviews.stands(case.generation, by):
            whose = f"the review that counts is {last.reviewer}'s" if last else "no review counts"
            raise ConfigError(
                f"{by} has nothing to withdraw on {case.generation[:8]}: {whose}."
                " --accept or --reject says otherwise."
            )
    elif last and (last.reviewer, last.verdict, last.note) == (by, verdict, note):
        print(f"{by} has {verdict} {case.generation[:8]} already.")
        return
    reviews.say(review(case, by, verdict, note))
    told = f", after {last.reviewer} {last.verdict} it" if last and last.reviewer != by else ""
    print(f"{by} has {verdict} {case.generation[:8]}{told}.")
    if verdict == "withdrawn" and (left := reviews.of(case.generation)):
        print(f"{left.reviewer} has {left.verdict} it, and that counts.")
    if verdict == "accepted" and is_overruled(case):
        print(f"It stays out: {case.rule} refused it, and no reviewer overrules that.")


def _read(store: "Store", cases: "list[Case]", by: str) -> None:
    """The session in the terminal, and what came of it."""
    from streams.cli.keys import keys
    from streams.cli.reviewing import Session

    if not cases:
        print("Nothing is on hold.")
        return
    screen = console()
    with completed_later("What you said stays"), keys() as pressed, screen.screen():
        session = Session(store, cases, by, screen=screen, keys=pressed)
        session.run()
    counts = {verdict: 0 for verdict in ("accepted", "rejected")}
    for said in session.said:
        counts[said.verdict] += 1
    left = len(cases) - len(session.said)
    print(f"{counts['accepted']} accepted, {counts['rejected']} rejected by {by}; {left} left.")
