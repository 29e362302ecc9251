"""`lem scorers test`: what scorers do, against their fixtures and on the log."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from streams.cli.shown import Json, json_lines
from streams.errors import ConfigError, LogError

if TYPE_CHECKING:
    from agents.scorers import Scorer
    from agents.scorers.checked import Difference, Silence, Silent

_SHOWN = 60  # characters of a text

Label = Annotated[
    str | None, typer.Argument(metavar="NAME@VERSION", help="As lek@2; without it, every one.")
]
Phase = Annotated[
    str | None, typer.Option(help="Only responses of this phase, as history for imported ones.")
]


class _Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is said of one scorer."""

    scorer: str
    error: str = ""
    """Why it can't be used."""

    fixtures: int = 0
    failing: "list[Difference]" = []
    rules: int = 0
    responses: int | None = None
    """In how many its rules were looked for; none where there is no log, or no rule."""

    silent: "list[Silent] | None" = None


def check(label: Label = None, phase: Phase = None, as_json: Json = False) -> None:
    """Run each scorer's fixtures, and tell which of its rules never fire on the log.

    A rule is one phrase or pattern of a list. It fires where it leads to a hit; it is hidden where
    it only matches in places that another of its list takes. Without a log only fixtures are run.
    The exit code is 1 where a fixture does not hold, or a scorer can't be used.

    Example: lem scorers test lek@2.1
    """
    found = _chosen(label)
    reports = {name: _tested(name, one) for name, one in found.items()}
    scorers = [one for one in found.values() if not isinstance(one, ConfigError)]
    missing = _heard(reports, scorers, phase)
    if as_json:
        json_lines(msgspec.to_builtins(each) for each in reports.values())
    else:
        print("\n".join(line for each in reports.values() for line in _lines(each)))
        if missing:
            print(f"Only fixtures were run. {missing}")
    if any(each.error or each.failing for each in reports.values()):
        raise typer.Exit(1)


def _chosen(label: str | None) -> "dict[str, Scorer | ConfigError]":
    from agents.scorers import scorer, tried

    return {label: scorer(label)} if label else dict(tried())


def _tested(name: str, one: "Scorer | ConfigError") -> _Report:
    from agents.scorers.checked import differences

    if isinstance(one, ConfigError):
        return _Report(scorer=name, error=str(one))
    return _Report(
        scorer=name,
        fixtures=len(one.fixtures),
        failing=list(differences(one)),
        rules=len(one.rules),
    )


def _heard(reports: dict[str, _Report], scorers: "list[Scorer]", phase: str | None) -> str:
    """Add what the log says to the reports; or say why it says nothing."""
    from agents.scorers.checked import Silence

    listening = {one.label: Silence(one) for one in scorers if one.rules}
    if not listening:
        return ""
    try:
        number = _listened(list(listening.values()), phase)
    except LogError as error:
        return str(error)
    if not number:
        return f"The log has no responses{f' of phase {phase}' * bool(phase)}."
    for name, silence in listening.items():
        reports[name].responses, reports[name].silent = number, silence.rules
    return ""


def _listened(listening: "Sequence[Silence]", phase: str | None) -> int:
    """Show each of them what is on the log; how many responses that is."""
    from agents.scorers.checked import count, responses
    from streams.cli.context import opened, viewed
    from streams.cli.shown import progress
    from streams.config import settings

    found = settings()
    with opened(found, must_exist=True) as store, viewed(store, found) as views:
        total = count(views, phase)
        with progress("looking for rules", total=total * len(listening)) as bar:
            for batch in responses(views, phase):
                for each in listening:
                    each.hear(batch)
                    bar.update(bar.task_ids[0], advance=len(batch))
    return total


def _lines(report: _Report) -> Iterator[str]:
    """A report for people."""
    if report.error:
        yield f"{report.scorer} can't be used. {report.error}"
        return
    yield f"{report.scorer}: {_held(report)}; {_fired(report)}"
    for each in report.failing:
        text = each.text if len(each.text) <= _SHOWN else f"{each.text[:_SHOWN]}…"
        yield f"  fixture {each.fixture}, {text!r}: {_said(each)}"
    silent = report.silent or []
    for signal in dict.fromkeys(each.signal for each in silent):
        yield f"  {signal}: {', '.join(_named(each) for each in silent if each.signal == signal)}"


def _named(rule: "Silent") -> str:
    return f'"{rule.rule}"' + " (hidden)" * rule.is_hidden


def _held(report: _Report) -> str:
    if not report.fixtures:
        return "no fixtures"
    failing = len({each.fixture for each in report.failing})
    if failing:
        return f"{failing} of {report.fixtures} fixtures don't hold"
    return f"{report.fixtures} fixtures hold"


def _fired(report: _Report) -> str:
    if not report.rules:
        return "no rules"
    if report.silent is None:
        return f"{report.rules} rules"
    where = f"in {report.responses:,} responses"
    if not report.silent:
        return f"each of {report.rules} rules fires {where}"
    return f"{len(report.silent)} of {report.rules} rules never fire {where}"


def _said(one: "Difference") -> str:
    if one.what == "error":
        return str(one.found)
    if one.found is None:
        return f"there is no signal {one.what}"
    found = one.found if isinstance(one.found, str) else f"{one.found:g}"
    return f"{one.what} {one.expected:g} expected, {found} found"
