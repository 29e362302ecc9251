"""What a reviewer sees of a generation: what is known of it, and prompt and response in pages."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from streams.cli.marked import colours_of, marked
from streams.cli.shown import harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from agents.reviewing.queue import Case
    from agents.scorers import Hit
    from schemas import Generated

_LEAST_ROWS = 3  # of the text, however little room there is
_FOOT = 3
_KEYS = "a accept  r reject  n note  s skip  u undo  space more  ? help  q quit"

HELP = """\
a      accept: it may be trained on
r      reject: it may not
n      note: what to write beside the verdict; Enter ends it, then a or r
s      skip: say nothing; it comes again the next time
u      undo: take the last verdict back, or go back to what was skipped
space  the next page; also arrow down, page down, Enter
b      the page before; also arrow up, page up
q      quit; what was said is on the log

Each verdict is written when its key is pressed. What gate and dedup refused
stays refused, whatever is said here.

Any key goes on."""


class Card(NamedTuple):
    """A generation laid out for one width."""

    head: "list[Text]"
    body: "list[Text]"

    def pages(self, height: int) -> int:
        """How many pages the text takes on a screen of so many rows."""
        return max(1, -(-len(self.body) // self._rows(height)))

    def show(self, screen: "Console", page: int, *, place: str, told: str) -> None:
        """Draw one page, from the top of the screen.

        Args:
            screen: Its size says how much a page is.
            page: From 0.
            place: Where the reviewer is among all.
            told: One line below the text, empty for none.
        """
        from rich.text import Text

        rows, pages = self._rows(screen.height), self.pages(screen.height)
        part = self.body[page * rows : (page + 1) * rows]
        paged = f" page {page + 1} of {pages} ──" if pages > 1 else ""
        foot = [
            Text(_rule(screen.width, f" {place} ──{paged}"), style="dim"),
            Text(harmless(told), style="yellow"),
            Text(_KEYS),
        ]
        screen.clear()
        lines = [*self.head, *part, *[Text()] * (rows - len(part)), *foot]
        for line in lines:
            line.truncate(screen.width, overflow="ellipsis")
        screen.print(Text("\n").join(lines), end="")

    def _rows(self, height: int) -> int:
        return max(_LEAST_ROWS, height - len(self.head) - _FOOT)


def card(
    screen: "Console", case: "Case", generated: "Generated", hits: "Sequence[Hit]", note: str
) -> Card:
    """A generation as this screen shows it."""
    from rich.text import Text

    head = [
        Text(
            harmless(f"phase {case.phase}  {case.probe} #{case.sample}  {case.model}"), style="bold"
        ),
        Text(harmless(_why(case)).replace("\n", " "), style="yellow"),
        Text(_scores(case)),
        *([_fired(case, hits)] if hits else []),
        *([Text(f"Note: {harmless(note)}", style="bold")] if note else []),
    ]
    body = [Text(harmless(generated.prompt), style="italic"), Text(), _response(generated, hits)]
    cut = [line for text in head for line in _wrapped(screen, text)[:3]]
    rule = Text(_rule(screen.width, f" {case.generation[:8]} "), style="dim")
    return Card([*cut, rule], [line for text in body for line in _wrapped(screen, text)])


def _response(generated: "Generated", hits: "Sequence[Hit]") -> "Text":
    from rich.text import Text

    if generated.response:
        return marked(generated.response, hits)
    return Text(harmless(f"There is no text: {generated.error or generated.outcome}"), style="red")


def _why(case: "Case") -> str:
    because = ": ".join(part for part in (case.rule, case.reason) if part)
    why = f" ({because})" if because else ""
    match case.verdict:
        case "held":
            return f"On hold{why}"
        case None:
            return "No phase of the curriculum judges it."
        case _:
            return f"{case.verdict.capitalize()}{why}"


def _scores(case: "Case") -> str:
    said = []
    for scorer, score in case.scores.items():
        bar = f" (passes at {case.threshold:g})" if _is_gate(case, scorer) else ""
        said.append(f"{scorer} {score:.2f}{bar}")
    if len(case.scores) > 1 and case.dispute is not None:
        said.append(f"ranks {case.dispute:.0%} apart")
    return "  ".join(said) or "No scorer has scored it."


def _is_gate(case: "Case", scorer: str) -> bool:
    return scorer == case.scorer and case.threshold is not None


def _fired(case: "Case", hits: "Sequence[Hit]") -> "Text":
    from rich.text import Text

    counts = Counter(hit.signal for hit in hits)
    shown = Text(f"{case.scorer} fired:")
    for name, colour in colours_of(hits).items():
        shown.append(f"  {name} {counts[name]}", style=f"bold {colour}")
    return shown


def _wrapped(screen: "Console", text: "Text") -> "list[Text]":
    return list(text.wrap(screen, screen.width, overflow="fold")) or [text]


def _rule(width: int, told: str) -> str:
    return f"──{told}".ljust(width, "─")[:width]
