"""A plan of an A/B test asks all conditions alike; kernels that can't be used are refused."""

from pathlib import Path

import pytest

from agents.ab.asking import Condition, conditions, facts, kernels, planned, prompts
from agents.distill import Plan
from schemas import Kernel, Requested, Sampling, Started
from streams.errors import ConfigError
from streams.ids import digest
from streams.log.store import EmbeddedStore
from tests.events import probed, put

PROBES = [probed(f"P{number}", f"Why {number}?") for number in range(3)]
JSON = Kernel(name="json", digest=digest("json"), text="{}")
TXT = Kernel(name="txt", digest=digest("txt"), text="Be kind.")


def asked(*given: Kernel, **drawn: float) -> list[Condition]:
    return conditions("canned:none", Sampling(**drawn), given)  # type: ignore[arg-type]  # by name


def plans(store: EmbeddedStore, wanted: list[Condition], samples: int = 1) -> list[Plan]:
    return planned(store, wanted, PROBES, samples=samples)


def test_every_condition_asks_the_same_with_its_own_kernel(store: EmbeddedStore) -> None:
    found = plans(store, asked(JSON, TXT))

    told = [{(r.probe, r.sample) for r in plan.requests} for plan in found]
    assert told == [{("P0", 0), ("P1", 0), ("P2", 0)}] * 3
    kernels = [{r.kernel_digest for r in plan.requests} for plan in found]
    assert kernels == [{None}, {JSON.digest}, {TXT.digest}]
    assert len({plan.run for plan in found}) == 3


def test_a_run_has_its_kernel_whole(store: EmbeddedStore) -> None:
    wanted = asked(JSON)

    found = list(facts(wanted, plans(store, wanted), PROBES))

    runs = [each for each in found if isinstance(each, Started)]
    assert [each.kernel for each in runs] == [None, JSON]
    assert {each.phase for each in runs} == {"ab"}


def test_all_conditions_are_asked_once_before_any_is_asked_twice(store: EmbeddedStore) -> None:
    wanted = asked(JSON)

    found = [
        (each.sample, each.kernel)
        for each in facts(wanted, plans(store, wanted, 2), PROBES)
        if isinstance(each, Requested)
    ]

    assert found == [(n, k) for n in (0, 1) for k in (None, "json") for _ in PROBES]


def test_a_plan_that_was_cut_off_is_completed_and_a_whole_one_adds_nothing(
    store: EmbeddedStore,
) -> None:
    wanted = asked(JSON)
    every = list(facts(wanted, plans(store, wanted, 2), PROBES))
    put(store, *every[:7])

    rest = list(facts(wanted, plans(store, wanted, 2), PROBES))
    put(store, *rest)

    requests = [each.id for each in every if isinstance(each, Requested)]
    assert [each.id for each in rest if isinstance(each, Requested)] == requests[5:]
    assert list(facts(wanted, plans(store, wanted, 2), PROBES)) == []


def test_more_samples_and_kernels_take_the_same_runs_further(store: EmbeddedStore) -> None:
    put(store, *facts(asked(JSON), plans(store, asked(JSON)), PROBES))

    found = plans(store, asked(JSON, TXT), 2)

    assert [len(plan.requests) for plan in found] == [3, 3, 6]
    assert [plan.known for plan in found] == [3, 3, 0]


def test_another_way_of_drawing_is_another_test(store: EmbeddedStore) -> None:
    put(store, *facts(asked(), plans(store, asked()), PROBES))

    assert len(plans(store, asked(temperature=0.0))[0].requests) == 3


def test_a_kernels_name_is_no_part_of_what_is_asked(store: EmbeddedStore) -> None:
    put(store, *facts(asked(JSON), plans(store, asked(JSON)), PROBES))
    renamed = Kernel(name="other", digest=JSON.digest, text=JSON.text)

    assert [plan.known for plan in plans(store, asked(renamed))] == [3, 3]


def test_rephrasings_are_asked_and_put_on_the_log_where_wanted(store: EmbeddedStore) -> None:
    put(store, *PROBES)

    plain = prompts(store, ["core"], rephrasings=False)
    more = prompts(store, ["core"], rephrasings=True)

    assert [each.probe for each in plain] == ["P0", "P1", "P2"]
    assert [each.original for each in more] == [p for p in ("P0", "P1", "P2") for _ in range(4)]
    wanted = asked()
    told = list(facts(wanted, planned(store, wanted, more, samples=1), more))
    assert [each.id for each in told[:9]] == [each.id for each in more if each.rephrasing_of]


def test_an_unknown_probe_set_is_told_with_those_there_are(store: EmbeddedStore) -> None:
    put(store, *PROBES)

    with pytest.raises(ConfigError, match='no probe set "cor" on the log; there is core'):
        prompts(store, ["core", "cor"], rephrasings=False)


def test_a_kernel_is_a_file_with_a_name(tmp_path: Path) -> None:
    path = tmp_path / "first.txt"
    path.write_text("Sei gütig.\n", encoding="utf-8")
    (tmp_path / "second=b.json").write_text("{}")

    named, plain = kernels([f"x={path}", f"b={tmp_path}/second=b.json"])

    assert (named.name, named.text) == ("x", "Sei gütig.\n")
    assert (plain.name, plain.text) == ("b", "{}")
    assert kernels([str(path)])[0].name == "first"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["x={0}/none"], 'Kernel "x": .*none can\'t be read: No such file'),
        (["x={0}"], "can't be read: Is a directory"),
        (["x={0}/bytes"], "is not UTF-8 text"),
        (["x={0}/empty"], "empty is empty"),
        (["x={0}/a", "x={0}/b"], 'Two kernels are called "x"'),
        (["x={0}/a", "y={0}/a"], '"x" and "y" are the same text'),
        (["baseline={0}/a"], "with another name"),
        (["={0}/a"], "write NAME=FILE"),
    ],
)
def test_a_kernel_that_cant_be_used_is_refused(tmp_path: Path, given: list[str], said: str) -> None:
    for name, content in {"a": b"A", "b": b"B", "bytes": b"\xff", "empty": b" \n"}.items():
        (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigError, match=said):
        kernels(each.format(tmp_path) for each in given)
