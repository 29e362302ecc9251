"""What a check refuses gets into no dataset, whatever was decided on it, and costs no other row."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

import kernel
from agents.dataset.diff import changes
from agents.dataset.recipe import now, then
from agents.materialize import materialize
from schemas import Kernel
from streams.ids import digest
from tests.events import KERNEL, probed, put, started
from tests.made import answered, phase, store_in

TEXT = kernel.text(KERNEL)
RUN = started(kernel=Kernel(name=KERNEL, digest=digest(TEXT), text=TEXT))
QUOTED = " ".join(TEXT.split()[40:70]).upper()


def test_an_accepted_row_that_repeats_the_kernel_is_left_out_and_told(tmp_path: Path) -> None:
    under = phase()
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P1"), *answered(under, "P2", response=f"So: {QUOTED}"))
        told, folder = materialize(store, tmp_path, now(under))

    (refused,) = told.refused
    assert refused.rule == "kernel_leak"
    assert f"words of kernel {KERNEL}" in refused.reason
    assert len(told.generations) == 1
    assert refused.generation not in told.generations
    page = (folder / "README.md").read_text()
    assert f"`{refused.generation[:8]}`, kernel_leak: The response repeats" in page
    assert all(QUOTED not in path.read_text() for path in folder.glob("*.jsonl"))


@pytest.mark.parametrize("on", ["prompt", "response"])
def test_a_row_that_overlaps_with_what_is_held_out_since_is_left_out(
    tmp_path: Path, on: str
) -> None:
    under = msgspec.structs.replace(phase(), held_out=("measure",))
    asked = "Is the island in the strait a state of its own, and who decides what it is called?"
    given: dict[str, Any] = {on: f"Well. {asked}" if on == "response" else asked}
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P1"), *answered(under, "P2", **given))
        before, _ = materialize(store, tmp_path, now(under))
        put(store, probed("C1", asked, set="measure"))
        told, _ = materialize(store, tmp_path, now(under))
        again, _ = materialize(store, tmp_path, then(before), out=tmp_path / "again")

    (refused,) = told.refused
    assert (refused.rule, "held-out probe C1" in refused.reason) == ("contamination", True)
    assert (len(before.generations), len(told.generations)) == (2, 1)
    assert (again.id, again.refused) == (before.id, ())
    check = {each.name: each for each in told.checks}["contamination"]
    assert check.over == "1 prompts of the held-out sets: measure"
    assert check.digest != {each.name: each for each in before.checks}["contamination"].digest


HELD_OUT = "Is the island in the strait a state of its own, and who decides what it is called?"
OVERLAPS = {
    "equals": HELD_OUT.upper(),
    "shares words in a row with": f"Tell me, kindly: {HELD_OUT} And why is that asked here at all?",
    "is similar to": HELD_OUT.replace("strait", "sea"),
}


def test_card_and_manifest_say_how_a_row_overlaps_and_quote_nothing(tmp_path: Path) -> None:
    under = msgspec.structs.replace(phase(), held_out=("measure",))
    with store_in(tmp_path) as store:
        put(store, RUN, probed("C1", HELD_OUT, set="measure"), *answered(under, "P0"))
        for number, prompt in enumerate(OVERLAPS.values(), 1):
            put(store, *answered(under, f"P{number}", prompt=prompt))
        put(store, *answered(under, "P4", response=f"So: {QUOTED}"))
        told, folder = materialize(store, tmp_path, now(under))

    reasons = {each.reason for each in told.refused}
    assert reasons == {
        *(f"The prompt {how} held-out probe C1." for how in OVERLAPS),
        f"The response repeats 12 words of kernel {KERNEL}.",
    }
    page = (folder / "README.md").read_text()
    for each in told.refused:
        assert f"* `{each.generation[:8]}`, {each.rule}: {each.reason}" in page.splitlines()
    for path in (folder / "README.md", folder / "manifest.json"):
        said = path.read_text().lower()
        assert all(quote not in said for quote in ("island", " ".join(QUOTED.lower().split()[:4])))


def test_what_is_refused_makes_room_in_its_models_share(tmp_path: Path) -> None:
    under = msgspec.structs.replace(phase(), mix={"canned:own": 0.4})
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P0", model="canned:other"))
        put(store, *answered(under, "P1", model="canned:own", score=40, response=f"So: {QUOTED}"))
        put(store, *(second := answered(under, "P2", model="canned:own", score=30)))
        put(store, *answered(under, "P3", model="canned:own", score=25))
        told, _ = materialize(store, tmp_path, now(under))

    assert len(told.refused) == 1
    assert len(told.generations) == 2
    assert second[2].id in told.generations


def test_what_is_refused_makes_no_room_for_the_next_best_of_its_probe(tmp_path: Path) -> None:
    found = phase()
    best = msgspec.structs.replace(found.gate, best=1)
    under = msgspec.structs.replace(found, gate=best)
    with store_in(tmp_path) as store:
        put(store, RUN, *(other := answered(under, "P0")))
        put(store, *answered(under, "P1", score=40, response=f"So: {QUOTED}"))
        put(store, *answered(under, "P1", score=30, sample=1))
        told, _ = materialize(store, tmp_path, now(under))

    assert [each.rule for each in told.refused] == ["kernel_leak"]
    assert told.generations == (other[2].id,)


def test_a_difference_tells_what_a_check_refused_by_the_checks_rule(tmp_path: Path) -> None:
    under = msgspec.structs.replace(phase(), held_out=("measure",))
    asked = "Is the island in the strait a state of its own, and who decides what it is called?"
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P1"), *answered(under, "P2", prompt=asked))
        before, _ = materialize(store, tmp_path, now(under))
        put(store, probed("C1", asked, set="measure"))
        after, _ = materialize(store, tmp_path, now(under))
        (went,) = changes(store, tmp_path, before, after)
        (came,) = changes(store, tmp_path, after, before)

    assert (went.change, went.rule) == ("went", "contamination")
    assert went.reason == f"Left out of {after.id[:8]}: {after.refused[0].reason}"
    assert (came.change, came.rule, came.reason) == ("came", went.rule, went.reason)


def test_the_manifest_says_what_the_rows_were_held_against(tmp_path: Path) -> None:
    under = phase(leak_words=500)
    with store_in(tmp_path) as store:
        put(store, RUN, *answered(under, "P1"), *answered(under, "P2"))
        told, folder = materialize(store, tmp_path, now(under))

    check, other = told.checks
    assert (check.name, check.rows) == ("kernel_leak", 2)
    assert (other.name, other.rows) == ("contamination", 2)
    assert check.digest == digest([500, [[KERNEL, TEXT]]])
    assert (
        f"2 rows against sentences and 500 words in a row of {KERNEL}"
        in (folder / "README.md").read_text()
    )
