"""Materialize: what a phase admits becomes a training set, the same bytes from the same log.

Its id follows from the policy and the bytes: made again with the same outcome, it is the same.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agents.dataset import card
from agents.dataset.checks import Columns, Looking, checks
from agents.dataset.chosen import batches, choose
from agents.dataset.files import Written, hashed, write
from agents.dataset.folder import MANIFEST, emptied, manifest, publish, scratch
from agents.dataset.recipe import Order, now, positions, written
from agents.dataset.tally import Tally
from schemas import Decided, Materialized, Refused
from streams.connect import connected
from streams.errors import LemError, LogError
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.replay import opened, policies
from streams.topics import DECISIONS

if TYPE_CHECKING:
    from streams.app import App
    from streams.replay import Views

_LOOK_EVERY_S = 0.5

_READY = """
select phase from verdicts group by phase
having bool_or(verdict = 'accepted') and not bool_or(verdict = 'pending')"""


def materialize(
    store: Store,
    home: Path,
    order: Order,
    *,
    out: Path | None = None,
    fit: Callable[[Path], None] | None = None,
) -> tuple[Materialized, Path]:
    """Make a dataset and put it in its place; the manifest and the folder.

    Args:
        store: The log.
        home: Where the columns are kept, and the datasets unless `out` is given.
        order: What is made.
        out: The dataset's folder.
        fit: Looks at the finished files; what it raises leaves nothing behind.

    Raises:
        LogError: The files can't be written, or the log does not give what it gave.
    """
    beside = out.parent if out else home / "datasets"
    with scratch(beside) as folder:
        made = derived(store, home, order, folder)
        if order.dataset not in (None, made.id):
            raise LogError(
                f"{store.place} does not give dataset {order.dataset} as of its manifest, but"
                f" {made.id}; `lem dataset verify` says where they differ. Nothing was written."
            )
        if fit:
            fit(folder)
        target = out or beside / folder_name(made)
        publish(folder, target)
    return made, target


def folder_name(made: Materialized) -> str:
    """What a dataset's folder is called where nobody names it."""
    return f"phase-{made.phase}-{made.id[:8]}"


def derived(store: Store, home: Path, order: Order, folder: Path) -> Materialized:
    """Write every file of a dataset into an empty folder.

    Raises:
        LogError: The log does not reach so far.
    """
    with opened(store, home, order.policies, ends=order.ends) as views:
        made, tally = _made(store, views, order, folder)
    page = card.card(made, order.phase, tally)
    (folder / card.NAME).write_text(page, encoding="utf-8")
    copies = (hashed(folder / card.NAME, card.NAME, 0), *made.copies)
    made = msgspec.structs.replace(made, copies=copies)
    (folder / MANIFEST).write_bytes(manifest(made))
    return made


def join(app: "App") -> None:
    """Materialize each phase when every request of its runs is decided."""
    from streams.work import work

    async def handle(decided: Decided) -> list[Materialized]:
        app.unsettled.add(decided.phase)
        return []

    @app.agent(app.records_of(DECISIONS.name), name="materialize")
    async def materialize_(stream: Any) -> None:
        await work(app, stream, Decided, handle, step="materialize")

    given = 0

    async def look() -> None:
        nonlocal given
        if given != app.consumer_generation_id:  # what another worker has read may be ours now
            given = app.consumer_generation_id
            app.unsettled.update(app.curriculum.phases)
        ours = app.assigned(DECISIONS.name)
        if ours is None or not app.unsettled or app.leaving.is_set():
            return
        if not ours:
            app.unsettled.clear()  # the worker that reads the decisions makes the datasets
        elif await app.is_drained():
            await _look(app)

    app.timer(interval=_LOOK_EVERY_S)(look)


async def _look(app: "App") -> None:
    """Make the datasets that may have changed, away from the event loop; tell each at once.

    One that can't be made costs no other: what went wrong is told when all had their turn.
    """
    names = sorted(app.unsettled & app.curriculum.phases.keys())
    app.unsettled.clear()  # what is decided from here on is looked at again
    app.busy += 1
    failures: list[LemError] = []
    try:
        for order in await asyncio.to_thread(_orders, app, names):
            try:
                await app.tell(await asyncio.to_thread(_dataset, app, order))
            except LemError as error:
                failures.append(error)
    except LemError as error:
        failures.append(error)
    finally:
        app.busy -= 1
    for failure in failures:
        app.fail(failure)


def _orders(app: "App", names: list[str]) -> list[Order]:
    """Those of these phases that admit something and wait for no decision."""
    with closing(connected(app.settings)) as store:
        with opened(store, app.settings.home_path, policies(app.curriculum)) as views:
            ready = {name for (name,) in views.db.execute(_READY).fetchall()}
        return [now(app.curriculum.phase(name)) for name in names if name in ready]


def _dataset(app: "App", order: Order) -> Materialized:
    with closing(connected(app.settings)) as store:
        return materialize(store, app.settings.home_path, order)[0]


def _made(store: Store, views: "Views", order: Order, folder: Path) -> tuple[Materialized, Tally]:
    """Write the rows; the manifest as far as the card needs it.

    Where a check refuses some, all is written anew without them: their model's share has room for
    others then. The next best of their probe does not come in; the views chose before.
    """
    refused: dict[str, Refused] = {}
    while True:
        known, looking = len(refused), checks(store, views, order.phase)
        choose(views, order.phase, without=refused)
        done = write(batches(views), folder, partial(_sieve, looking, refused))
        if len(refused) == known:
            return _sealed(order, views, done, looking, refused), done.tally
        emptied(folder)


def _sieve(looking: list[Looking], refused: dict[str, Refused], rows: Columns) -> None:
    for each in looking:
        for found in each.refused(rows):
            refused.setdefault(found.generation, found)


def _sealed(
    order: Order,
    views: "Views",
    done: Written,
    looking: list[Looking],
    refused: Mapping[str, Refused],
) -> Materialized:
    return sealed(
        Materialized(
            **origin(),
            phase=order.phase.name,
            policy=order.policy,
            scorer=order.phase.gate.scorer,
            files=done.files,
            copies=done.copies,
            positions=positions(views),
            generations=done.generations,
            checks=tuple(each.told() for each in looking),
            refused=tuple(refused[generation] for generation in sorted(refused)),
            recipe=written(order, views),
        )
    )
