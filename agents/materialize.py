"""Materialize: what a phase admits becomes a training set, the same bytes from the same log.

Its id follows from the policy and the bytes: made again with the same outcome, it is the same.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.dataset import MANIFEST, Row, manifest, publish, scratch, write
from agents.kernels import Kernels
from agents.rules import leak
from schemas import Decided, Materialized, Position
from streams.connect import connected
from streams.curriculum import Curriculum, Phase
from streams.errors import LemError, LogError
from streams.ids import sealed
from streams.log.door import Store
from streams.origin import origin
from streams.replay import opened, policies
from streams.topics import DATASETS, DEAD_LETTERS, DECISIONS

if TYPE_CHECKING:
    from streams.app import App
    from streams.replay import Views

_LOOK_EVERY_S = 0.5

_ADMITTED = """
select generation, run, probe, original, prompt, response from admitted
where phase = ? order by original, probe, sample, generation"""
_READY = """
select phase from verdicts group by phase
having bool_or(verdict = 'accepted') and not bool_or(verdict = 'pending')"""


def materialize(
    store: Store, home: Path, curriculum: Curriculum, phase: Phase, *, out: Path | None = None
) -> tuple[Materialized, Path]:
    """Make the phase's dataset from the log as it is; the manifest and the folder.

    Raises:
        LogError: The files can't be written, or a row holds the kernel's words.
    """
    beside = out.parent if out else home / "datasets"
    with opened(store, home, policies(curriculum)) as views, scratch(beside) as folder:
        files, generations = write(_rows(store, views, phase), phase.split, folder)
        made = sealed(
            Materialized(
                **origin(),
                phase=phase.name,
                policy=phase.policy,
                scorer=phase.gate.scorer,
                files=files,
                positions=_positions(views),
                generations=tuple(generations),
            )
        )
        (folder / MANIFEST).write_bytes(manifest(made))
        target = out or beside / f"phase-{phase.name}-{made.id[:8]}"
        publish(folder, target)
    return made, target


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
    """Make the datasets that may have changed, away from the event loop."""
    names = sorted(app.unsettled & app.curriculum.phases.keys())
    app.unsettled.clear()  # what is decided from here on is looked at again
    app.busy += 1
    try:
        for made in await asyncio.to_thread(_complete, app, names):
            await app.tell(made)
    except LemError as error:
        app.fail(error)
    finally:
        app.busy -= 1


def _complete(app: "App", names: list[str]) -> list[Materialized]:
    """The datasets of those phases that admit something and wait for no decision."""
    home, curriculum = app.settings.home_path, app.curriculum
    store = connected(app.settings)
    try:
        with opened(store, home, policies(curriculum)) as views:
            ready = {name for (name,) in views.db.execute(_READY).fetchall()}
        phases = [curriculum.phase(name) for name in names if name in ready]
        return [materialize(store, home, curriculum, phase)[0] for phase in phases]
    finally:
        store.close()


def _rows(store: Store, views: "Views", phase: Phase) -> Iterator[Row]:
    kernels = Kernels(store)
    found = views.db.cursor().execute(_ADMITTED, [phase.name])
    while batch := found.fetchmany(200):
        for values in batch:
            row = Row(**dict(zip(Row.__struct_fields__, values, strict=True)))
            _refuse_leak(row, phase, kernels.named(row.run))
            yield row


def _refuse_leak(row: Row, phase: Phase, kernels: dict[str, str]) -> None:
    for name, text in kernels.items():
        if run := leak(row.response, text, phase.gate.leak_words):
            raise LogError(
                f'Generation {row.generation} was accepted, but repeats kernel {name}: "{run}".'
                f" No dataset was written; see `lem explain {row.generation[:8]}`."
            )


def _positions(views: "Views") -> tuple[Position, ...]:
    """The log as it was read; what follows from datasets is no part of it."""
    return tuple(
        Position(topic=topic, partition=partition, end=end)
        for (topic, partition), end in sorted(views.positions.items())
        if topic not in (DATASETS.name, DEAD_LETTERS.name)
    )
