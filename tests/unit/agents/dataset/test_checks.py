"""No row that repeats a kernel gets into a dataset, whatever was decided on it."""

from pathlib import Path

import pytest

import kernel
from agents.dataset.recipe import now
from agents.materialize import materialize
from schemas import Kernel
from streams.errors import LogError
from streams.ids import digest
from tests.events import KERNEL, put, started
from tests.made import answered, phase, store_in

TEXT = kernel.text(KERNEL)
RUN = started(kernel=Kernel(name=KERNEL, digest=digest(TEXT), text=TEXT))
QUOTED = " ".join(TEXT.split()[40:70]).upper()


def test_an_accepted_row_that_repeats_the_kernel_stops_the_dataset(tmp_path: Path) -> None:
    under = phase()
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P1"), *answered(under, "P2", response=f"So: {QUOTED}"))
        with pytest.raises(LogError, match=f"repeats kernel {KERNEL}"):
            materialize(store, tmp_path, now(under))

    assert not list((tmp_path / "datasets").iterdir())


def test_the_manifest_says_what_the_rows_were_held_against(tmp_path: Path) -> None:
    under = phase(leak_words=500)  # more than are quoted
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P1"), *answered(under, "P2", response=f"So: {QUOTED}"))
        told, folder = materialize(store, tmp_path, now(under))

    (check,) = told.checks
    assert (check.name, check.rows) == ("kernel_leak", 2)
    assert check.digest == digest([500, [[KERNEL, TEXT]]])
    assert f"2 rows against 500 words in a row of {KERNEL}" in (folder / "README.md").read_text()
