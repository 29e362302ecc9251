"""Which rows a dataset has: no side holds a part of a probe, no row stands twice, no model has
more than its share.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dataset.chosen import mixed
from agents.rules import split_of
from schemas.base import Fact
from streams.curriculum import Phase, Split
from tests.events import put
from tests.made import answered, contents, fill, made, phase, rows, store_in

HALVES = Split(train=50, valid=25, test=25)


def sides(found: dict[str, list[dict[str, str]]]) -> dict[str, set[str]]:
    """The splits in which each original probe stands."""
    told: dict[str, set[str]] = {}
    for split, each in found.items():
        for row in each:
            told.setdefault(row["original"], set()).add(split)
    return told


ANSWERS = st.lists(
    st.tuples(
        st.integers(0, 6),  # the original
        st.booleans(),  # its rephrasing is asked, not itself
        st.integers(0, 2),  # the sample
        st.sampled_from(["", "ethics", "law"]),
        st.sampled_from([20.0, 24.0, 30.0]),
        st.sampled_from(["canned:one", "canned:two"]),
    ),
    unique_by=lambda each: (each[0], each[1], each[2], each[5]),
    max_size=25,
)


def facts(under: Phase, answers: list[tuple[int, bool, int, str, float, str]]) -> list[list[Fact]]:
    told = []
    for number, is_other, sample, domain, score, model in answers:
        original = f"P{number}"
        told.append(
            answered(
                under,
                f"{original}_R_PERS" if is_other else original,
                original=original if is_other else None,
                domain=f"{domain}{number % 2}" if domain else "",
                sample=sample,
                score=score,
                model=model,
            )
        )
    return told


@given(ANSWERS, st.integers(0, 3), st.booleans())
@settings(max_examples=12, deadline=None)
def test_no_probe_stands_on_two_sides_and_no_row_twice(
    answers: list[tuple[int, bool, int, str, float, str]], rephrasings: int, is_mixed: bool
) -> None:
    mix = {"canned:one": 0.7, "canned:two": 0.3} if is_mixed else {}
    under = phase(split=HALVES, rephrasings_per_example=rephrasings, mix=mix)
    with TemporaryDirectory() as folder, store_in(Path(folder)) as store:
        fill(store, facts(under, answers))
        told, where = made(store, Path(folder), under)
        found = rows(where)

    assert all(len(each) == 1 for each in sides(found).values())
    every = [(row["generation"], row["variant"]) for split in found.values() for row in split]
    assert len(set(every)) == len(every) == len(told.generations)
    passed = zip(facts(under, answers), answers, strict=True)
    assert set(told.generations) <= {each[2].id for each, (*_, score, _) in passed if score >= 24}


VOICES = [
    answered(
        phase(split=HALVES),
        f"P{number}{suffix}",
        original=f"P{number}" if suffix else None,
        domain=domain,
        prompt=f"What is fair, P{number}{suffix}?",
    )
    for number in range(3)
    for suffix, domain in (("", "ethics"), ("_A", "law"), ("_B", "care"))
]


@given(st.permutations(VOICES), st.integers(1, len(VOICES)))
@settings(max_examples=8, deadline=None)
def test_no_order_of_arrival_moves_a_probe_whatever_domains_its_voices_have(
    answers: list[list[Fact]], first: int
) -> None:
    under = phase(split=HALVES)
    with TemporaryDirectory() as folder, store_in(Path(folder)) as store:
        fill(store, answers[:first])
        before = sides(rows(made(store, Path(folder), under)[1]))
        for facts_ in answers[first:]:
            put(store, *facts_)
        after = sides(rows(made(store, Path(folder), under)[1]))

    assert before.items() <= after.items()
    assert after == {
        f"P{number}": {split_of(f"P{number}", train=50, valid=25)} for number in range(3)
    }


def test_the_card_counts_the_rows_of_each_domain_per_split(tmp_path: Path) -> None:
    under = phase(split=HALVES)
    with store_in(tmp_path) as store:
        fill(store, VOICES)
        _, where = made(store, tmp_path, under)
    found = Counter((row["domain"], split) for split, each in rows(where).items() for row in each)

    page = (where / "README.md").read_text()
    for domain in ("ethics", "law", "care"):
        counts = " | ".join(str(found[domain, split]) for split in ("train", "valid", "test"))
        assert f"| {domain} | {counts} |" in page


def test_a_later_probe_moves_no_row_that_is_there(tmp_path: Path) -> None:
    under = phase(split=HALVES)
    with store_in(tmp_path) as store:
        fill(store, (answered(under, f"P{n}", domain="ethics") for n in range(12)))
        before = sides(rows(made(store, tmp_path, under)[1]))
        # A known probe again, in another domain, and new ones.
        put(store, *answered(under, "P3", domain="other", sample=1))
        for n in range(12, 20):
            put(store, *answered(under, f"P{n}", domain="ethics"))
        after = sides(rows(made(store, tmp_path, under)[1]))

    assert before.items() <= after.items()
    assert len(after) == 20


def test_an_accepted_answer_stands_under_so_many_rephrasings(tmp_path: Path) -> None:
    under = phase(rephrasings_per_example=1)
    with store_in(tmp_path) as store:
        fill(store, [answered(under, "P1"), answered(under, "P2", score=1.0)])
        # Asked too, and rejected: its prompt is there, its own answer is not.
        put(
            store, *answered(under, "P1_R_PERS", original="P1", prompt="Seen otherwise?", score=1.0)
        )
        told, where = made(store, tmp_path, under)
        found = [row for split in rows(where).values() for row in split]

    assert [(row["probe"], row["variant"]) for row in found] == [
        ("P1", "asked"),
        ("P1", "perspective"),
    ]
    assert [row["messages"][0]["content"] for row in found] == [
        "What is fair here, P1?",
        "Seen otherwise?",
    ]
    assert len({row["messages"][1]["content"] for row in found}) == 1
    assert told.generations == (found[0]["generation"],) * 2


def test_the_best_rows_of_a_model_are_kept(tmp_path: Path) -> None:
    under = phase(mix={"canned:own": 0.7, "canned:other": 0.3})
    with store_in(tmp_path) as store:
        fill(
            store,
            [
                *(answered(under, f"P{n}", model="canned:own", score=24 + n) for n in range(20)),
                *(answered(under, f"P{n}", model="canned:other", score=30) for n in range(3)),
            ],
        )
        told, where = made(store, tmp_path, under)
        found = [row for split in rows(where).values() for row in split]

    counts = Counter(row["model"] for row in found)
    assert counts == {"canned:own": 8, "canned:other": 3}
    own = sorted(row["score"] for row in found if row["model"] == "canned:own")
    assert own == [24.0 + n for n in range(12, 20)]
    assert b'"canned:other":0.3' in (told.recipe or "").encode()


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 500), max_size=4),
    st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 1), max_size=4),
)
def test_no_model_has_more_than_its_share(counts: dict[str, int], shares: dict[str, float]) -> None:
    most = mixed(counts, shares)
    kept = {model: min(count, most.get(model, count)) for model, count in counts.items()}

    for model in most:
        assert kept[model] <= shares[model] * sum(kept.values()) + 0.5 + 1e-9
    for model in counts.keys() - shares.keys():
        assert kept[model] == counts[model]


def test_shares_that_fit_leave_nothing_out() -> None:
    assert mixed({"a": 70, "b": 30}, {"a": 0.7, "b": 0.3}) == {"a": 70, "b": 30}


def test_a_copy_of_the_log_makes_the_same_bytes_without_its_columns(tmp_path: Path) -> None:
    import shutil

    under = phase(split=HALVES, rephrasings_per_example=2)
    with store_in(tmp_path / "one") as store:
        fill(store, (answered(under, f"P{n}", domain=f"D{n % 4}") for n in range(30)))
        first = contents(made(store, tmp_path / "one", under)[1])
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    shutil.rmtree(tmp_path / "two" / "columns", ignore_errors=True)
    shutil.rmtree(tmp_path / "two" / "datasets")
    with store_in(tmp_path / "two") as store:
        second = contents(made(store, tmp_path / "two", under)[1])

    assert second == first
