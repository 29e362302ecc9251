"""Two datasets: which rows came, went or changed sides, and by which rule.

Why a row is in one of them alone is asked of the other: its policy, over the log as it read it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agents.dataset.recipe import then
from schemas import Materialized, Refused
from streams.log.door import Store
from streams.replay import opened
from streams.views import add_table

if TYPE_CHECKING:
    from streams.replay import Views

Kind = Literal["came", "went", "moved"]

_FATES = """
select wanted.generation, generations.phase, generations.probe, verdicts.verdict, verdicts.rule,
  verdicts.reason
from wanted
left join generations on generations.id = wanted.generation
left join verdicts using (generation)
order by wanted.generation"""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What differs in the rows of one generation."""

    change: Kind
    """`came`: only the second dataset has them; `went`: only the first; `moved`: both, in other
    splits."""

    generation: str
    rows: int
    rule: str
    """What keeps them out of the dataset that lacks them, as in a decision or a check; `new`: its
    log did not have the generation yet; `mix`, `rephrasings`: the phase bounds its rows; `phase`:
    it is of another; `split`."""

    reason: str
    """A sentence for a person."""


def changes(store: Store, home: Path, first: Materialized, second: Materialized) -> list[Change]:
    """Every generation whose rows differ, those that went first.

    Raises:
        ConfigError: A manifest has no recipe that this lem can follow.
        LogError: The log does not reach so far.
    """
    before, after = Counter(first.generations), Counter(second.generations)
    return [
        *_explained(store, home, "went", before - after, second, after),
        *_explained(store, home, "came", after - before, first, before),
        *_moved(first, second),
    ]


def _explained(
    store: Store,
    home: Path,
    kind: Kind,
    rows: Counter[str],
    other: Materialized,
    there: Counter[str],
) -> Iterator[Change]:
    """Why the other dataset lacks these rows."""
    if not rows:
        return
    order = then(other)
    refused = {each.generation: each for each in other.refused}
    with opened(store, home, order.policies, ends=order.ends) as views:
        for fate in _fates(views, rows):
            which = fate["generation"]
            rule, reason = _why(fate, other, refused.get(which), is_there=there[which] > 0)
            yield Change(change=kind, generation=which, rows=rows[which], rule=rule, reason=reason)


def _fates(views: "Views", rows: Counter[str]) -> list[dict[str, Any]]:
    add_table(views.db, "wanted", "generation varchar", [(each,) for each in rows])
    return views.rows(_FATES)


def _why(
    fate: dict[str, Any], other: Materialized, refused: Refused | None, *, is_there: bool
) -> tuple[str, str]:
    """The rule and the sentence; `is_there` where the other dataset has fewer rows of it."""
    name = other.id[:8]
    if refused:  # by a check, though the gate had accepted it
        return refused.rule, f"Left out of {name}: {refused.reason}"
    if fate["phase"] is None:
        return "new", f"The log of {name} did not have this generation yet."
    if fate["phase"] != other.phase:
        return "phase", f"It is of phase {fate['phase']}; {name} is of phase {other.phase}."
    match fate["verdict"]:
        case "accepted" if is_there:
            return "rephrasings", f"{name} has it under fewer prompts of rephrasings."
        case "accepted":
            return "mix", f"{name} has no room for it: its model has its share of the rows."
        case "pending":
            return "pending", f"It was not decided yet when {name} was made."
    return fate["rule"], f"In {name}: {fate['reason']}"


def _moved(first: Materialized, second: Materialized) -> Iterator[Change]:
    """Rows of both that stand in another split: only a changed `split` moves any."""
    before, after = _splits(first), _splits(second)
    rows = Counter(second.generations)
    for generation in sorted(before.keys() & after.keys()):
        if (was := before[generation]) != (now := after[generation]):
            said = f"It stood in {was} and stands in {now}."
            yield Change(
                change="moved",
                generation=generation,
                rows=rows[generation],
                rule="split",
                reason=said,
            )


def _splits(told: Materialized) -> dict[str, str]:
    """The file that each generation's rows stand in; rows come file after file."""
    names = (file.name for file in told.files for _ in range(file.rows))
    return dict(zip(told.generations, names, strict=False))
