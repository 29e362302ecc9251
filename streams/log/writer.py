"""Group commit: one thread writes whatever came together while the last write was on its way."""

import asyncio
import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from streams.errors import LogError
from streams.log.records import Draft, Place, TopicPartition
from streams.log.store import EmbeddedStore

_MOST_AT_ONCE = 2000  # records in one transaction; more only delays those who wait for it


class _Job(NamedTuple):
    drafts: tuple[Draft, ...]
    offsets: Mapping[TopicPartition, int]
    done: "asyncio.Future[list[Place]]"


class Writer:
    """Appends and commits from an event loop, in the order in which they were asked for.

    An offset committed after an append is on the log with it or after it, never before. Once a
    write failed, every later one fails with the same error: what was lost from the middle would
    otherwise go unnoticed.
    """

    def __init__(self, path: Path, group: str) -> None:
        """Start the thread.

        Args:
            path: The log's file.
            group: Whose offsets are committed.
        """
        self._path, self._group = path, group
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="lem-log-writer", daemon=True)
        self._thread.start()

    def write(
        self,
        drafts: tuple[Draft, ...],
        *,
        offsets: Mapping[TopicPartition, int] | None = None,
    ) -> "asyncio.Future[list[Place]]":
        """Ask for a write; the future is done when it is durable.

        Raises:
            LogError: The writer was closed.
        """
        if not self._thread.is_alive():
            raise LogError(f"{self._path} was closed; nothing is written after that.")
        done = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(drafts, offsets or {}, done))
        return done

    def close(self) -> None:
        """Write what was asked for, then end."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        store: EmbeddedStore | None = None
        try:
            store = EmbeddedStore(self._path)
        except Exception as error:  # told to everyone who asks, below
            self._failure = error
        while jobs := self._next_jobs():
            places = self._written(store, jobs)
            loop = jobs[0].done.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, jobs, places, self._failure)
        if store:
            store.close()

    def _next_jobs(self) -> list[_Job]:
        """Those that wait, up to the most at once; none at the end."""
        jobs: list[_Job] = []
        size = 0
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            size += len(job.drafts)
            if size >= _MOST_AT_ONCE or self._jobs.empty():
                return jobs
            job = self._jobs.get()
        if jobs:
            self._jobs.put(None)
        return jobs

    def _written(self, store: EmbeddedStore | None, jobs: list[_Job]) -> list[Place]:
        """Where the drafts of these jobs stand now; none once a write failed."""
        if not store or self._failure:
            return []
        offsets = {spot: end for job in jobs for spot, end in job.offsets.items()}
        drafts = [draft for job in jobs for draft in job.drafts]
        try:
            return store.append(drafts, group=self._group, offsets=offsets)
        except Exception as error:  # told to everyone who waits
            self._failure = error
            return []


def _settle(jobs: list[_Job], places: list[Place], error: Exception | None) -> None:
    start = 0
    for job in jobs:
        end = start + len(job.drafts)
        if job.done.cancelled():
            pass
        elif error is None:
            job.done.set_result(places[start:end])
        else:
            job.done.set_exception(error)
        start = end
