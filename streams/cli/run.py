"""`lem run`: the worker, from start to a clean stop."""

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import opened
from streams.config import Settings, settings
from streams.errors import GroupTaken

if TYPE_CHECKING:
    from streams.app import App

UntilIdle = Annotated[bool, typer.Option("--until-idle", help="End when nothing is left to do.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Tell what Faust does.")]
Skip = Annotated[
    bool, typer.Option("--skip-failing", help="Give up requests to a model that can't be opened.")
]
Worker = Annotated[
    str | None, typer.Option(help="Who writes the events, as m1-gold; the host's name if none.")
]

_LOOK_EVERY_S = 0.1
_TELL_FIRST, _TELL_EVERY = 3, 100  # looks: what was not yet asked is let go of by then
_PARTING_S = 15.0
_EXIT_INTERRUPTED = 130


def run(
    *,
    worker: Worker = None,
    until_idle: UntilIdle = False,
    skip_failing: Skip = False,
    verbose: Verbose = False,
) -> None:
    """Run the agents.

    They rephrase, generate, score, gate, dedup and materialize what comes onto the log. Ctrl+C
    once asks nothing more, waits for the answers that are being written, and commits; twice
    leaves at once: what was being written is then asked again by the next `lem run`.

    Example: lem run --until-idle
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
    )
    if not verbose:  # what stops the worker is told once, at the end
        for name in ("faust", "mode", "streams", "aiokafka"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    found = settings({"skip_failing": skip_failing or None, "worker": worker})
    _settle(found)
    interrupted = asyncio.run(_serve(found, until_idle=until_idle))
    if interrupted:
        print("Stopped; everything acknowledged is on the log. Go on with `lem run`.")
        raise typer.Exit(_EXIT_INTERRUPTED)
    print("Nothing is left to do. `lem status` tells what came of it.")


def _settle(found: Settings) -> None:
    """What a changed policy left undecided; the agents see only what is new."""
    from pathlib import Path

    from streams.cli.settling import look, settle
    from streams.curriculum import load

    with opened(found) as store:
        curriculum = load(Path(found.curriculum))
        try:
            settle(store, found, curriculum)
        except GroupTaken:
            if not store.is_shared:
                raise
            look(store, found, curriculum)
            print(
                "Others are at work in this group, or were killed just now; sharing it with them."
                " What a changed policy left undecided waits for a run that begins alone."
            )


async def _serve(found: Settings, *, until_idle: bool) -> bool:
    """Run the app until it is idle, fails or is interrupted; true for the last."""
    from agents import join
    from streams.app import App, as_ours

    app = App(found)
    join(app)
    interrupted = asyncio.Event()
    _on_signals(app, interrupted)
    try:
        await app.start()
        # Beside, since it may wait for the log, and Ctrl+C must not wait with it.
        watch = asyncio.create_task(_watch(app, until_idle=until_idle))
        while not (app.leaving.is_set() or app.should_stop or watch.done()):  # noqa: ASYNC110  # mode has no event for a crash
            await asyncio.sleep(_LOOK_EVERY_S)
        await _finish(app, watch)
    finally:
        # A broker that is away would be waited for, again and again.
        stop = asyncio.create_task(app.stop())
        await asyncio.wait([stop], timeout=_PARTING_S if app.failure else None)
        app.close()
    if failure := app.failure or app.crash_reason:
        raise as_ours(failure, app.store.place)
    return interrupted.is_set()


async def _watch(app: "App", *, until_idle: bool) -> None:
    """Show how far the worker is, until nothing is left to do."""
    from streams.app import as_ours
    from streams.cli.watching import watched

    try:
        with watched(app) as look:
            while not (until_idle and not app.unsettled and await app.is_drained()):
                await look()
                await asyncio.sleep(_LOOK_EVERY_S)
    except Exception as error:
        app.fail(as_ours(error, app.store.place))


def _on_signals(app: "App", interrupted: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        interrupted.set()
        app.leaving.set()
        print("\nBeginning nothing more; Ctrl+C again leaves at once.", flush=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


async def _finish(app: "App", watch: "asyncio.Task[None]") -> None:
    """Let the agents finish the records at hand, then commit."""
    app.leaving.set()
    watch.cancel()
    looks = 0
    while app.busy and not (app.failure or app.should_stop):
        await asyncio.sleep(_LOOK_EVERY_S)
        looks += 1
        if app.busy and looks % _TELL_EVERY == _TELL_FIRST:
            print(
                f"Waiting for {app.busy} at hand; Ctrl+C again breaks them off, and the next"
                " `lem run` asks them again.",
                flush=True,
            )
    if not app.should_stop and not app.failure:
        await app.consumer.commit()
