"""How `lem explain` shows what it found: a tree, the scores with their rules, and sentences."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from schemas import Event, Generated, Scored
from streams import envelope
from streams.cli.shown import console, harmless
from streams.cli.tail import summary
from streams.errors import ConfigError
from streams.log.door import Store
from streams.log.records import Record

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from agents.fate import Fate, Membership

_MOST_SHOWN = 20  # events below one; a probe may have led to thousands
_MOST_WORDS = 6  # of one signal's

Row = dict[str, Any]


def tree(store: Store, record: Record, causes: list[Record], effects: list[Row]) -> None:
    """Print what led to the event, the event, and what came of it."""
    from rich.tree import Tree

    path = [*(summary(cause) for cause in causes), summary(record)]
    path[-1].stylize("bold")
    root = branch = Tree(_cut(path[0]), guide_style="dim")
    for text in path[1:]:
        branch = branch.add(_cut(text))
    event = envelope.event(record)
    _grow(store, branch, event.id, _by_cause(effects, event.id))
    console().print(root)


def story(
    generated: Generated, events: Sequence[Event], fate: "Fate", datasets: "list[Membership]"
) -> Row:
    """What became of a generation, as data and as sentences."""
    scores = [_scored(each, generated) for each in events if isinstance(each, Scored)]
    told = {
        "generation": generated.id,
        **msgspec.to_builtins(fate),
        "scores": scores,
        "datasets": msgspec.to_builtins(datasets),
    }
    return {**told, "said": " ".join(_sentences(fate, datasets))}


def tell(told: Row) -> None:
    """Print the scores with the rules that fired, and the sentences."""
    screen = console()
    for score in told["scores"]:
        fired = "; ".join(
            f"{name} {value:g}{_words(score['fired'].get(name, {}))}"
            for name, value in score["signals"].items()
            if value
        )
        screen.print(
            harmless(f"{score['scorer']} {score['score']:.2f}: {fired or 'nothing fired'}"),
            markup=False,
            soft_wrap=True,
        )
    screen.print(harmless(told["said"]), markup=False, soft_wrap=True)


def _scored(scored: Scored, generated: Generated) -> Row:
    """A score with its signals, and the words that each rule fired at."""
    return {
        "scorer": scored.scorer,
        "score": scored.score,
        "signals": scored.signals,
        "fired": _fired(scored, generated.response),
    }


def _fired(scored: Scored, response: str) -> dict[str, dict[str, int]]:
    """How often each signal fired at which words; nothing by a scorer that is not here as then."""
    from agents.scorers import scorer

    try:
        by = scorer(scored.scorer)
    except ConfigError:
        return {}
    if by.hits is None or by.definition != scored.definition:
        return {}
    counted: dict[str, Counter[str]] = {}
    for hit in by.hits(response):
        words = " ".join(response[hit.start : hit.end].split())
        counted.setdefault(hit.signal, Counter())[words] += bool(words)  # a form has no words
    return {name: dict((+found).most_common()) for name, found in counted.items()}


def _words(fired: dict[str, int]) -> str:
    if not fired:
        return ""
    shown = [f"{count} x {words}" if count > 1 else words for words, count in fired.items()]
    more = [f"{len(shown) - _MOST_WORDS} more"] * (len(shown) > _MOST_WORDS)
    return f" ({', '.join([*shown[:_MOST_WORDS], *more])})"


def _sentences(fate: "Fate", datasets: "Sequence[Membership]") -> Iterable[str]:
    yield _verdict(fate)
    if fate.kept and len(fate.kept) > 1:
        yield f"In the end {fate.kept[-1][:8]} is kept."
    if fate.remedies:
        yield f"It {', and '.join(fate.remedies)}."
    yield _membership(fate, datasets)
    for each in datasets:
        if each.refused:
            yield f"Dataset {each.id[:8]} left it out ({each.refused.rule}: {each.refused.reason})"


def _verdict(fate: "Fate") -> str:
    why = "; ".join(f"{each.rule}: {each.reason}" for each in fate.findings)
    match fate.verdict:
        case "accepted":
            return f"Accepted with the score {fate.score:g}."
        case "held":
            return f"On hold for a person ({why})."
        case "rejected":
            return f"Rejected ({why})."
        case "pending":
            return "Not decided yet; `lem run` goes on."
    return "No phase of the curriculum judges it."


def _membership(fate: "Fate", datasets: "Sequence[Membership]") -> str:
    rows = [each for each in datasets if each.row]
    if rows:
        places = (f"row {each.row} of {each.id[:8]} (phase {each.phase})" for each in rows)
        return f"It is in a dataset: {', '.join(places)}."
    if fate.verdict == "accepted" and not datasets:
        return f"It is in no dataset yet; `lem materialize --phase {fate.phase}` makes one."
    return "It is in no dataset."


def _by_cause(effects: list[Row], root: str) -> dict[str, list[Row]]:
    """The effects under what they follow from; a run's requests, caused by probes, under it."""
    shown = {root, *(row["id"] for row in effects)}
    below: dict[str, list[Row]] = {}
    for row in effects:
        below.setdefault(row["cause"] if row["cause"] in shown else root, []).append(row)
    return below


def _grow(store: Store, branch: "Tree", parent: str, below: dict[str, list[Row]]) -> None:
    children = below.get(parent, [])
    for row in children[:_MOST_SHOWN]:
        text = summary(_read(store, row["topic"], row["partition"], row["offset"]))
        _grow(store, branch.add(_cut(text)), row["id"], below)
    if (more := len(children) - _MOST_SHOWN) > 0:
        branch.add(f"… and {more:,} more; --json lists them")


def _cut(text: "Text") -> "Text":
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _read(store: Store, topic: str, partition: int, offset: int) -> Record:
    return store.read(topic, partition, offset=offset, limit=1)[0]
