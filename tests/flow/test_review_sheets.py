"""`lem review` by file and over many: there and back, the order, agreement."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas import Reviewed
from streams.config import Settings
from streams.curriculum import Phase, load
from streams.ids import digest, sealed
from streams.log.store import EmbeddedStore
from tests.events import OTHER, decided, deduped, generated, probed, put, requested, scored, started
from tests.lem import events, lem, refusal, rows

# By lek@2, whose threshold is 24, and by grammar@3; the second pair ranks apart.
SCORES = {"a": (24.0, 50.0), "b": (25.0, 80.0), "c": (30.0, 60.0), "d": (50.0, 70.0)}


@pytest.fixture
def phase(settings: Settings) -> Phase:
    return load(Path(settings.curriculum)).phase("1")


@pytest.fixture
def home(settings: Settings) -> Path:
    return settings.home_path


def answers(
    store: EmbeddedStore, phase: Phase, scores: dict[str, tuple[float, float]]
) -> dict[str, str]:
    """Generations on hold with these scores; their ids, by name."""
    ids = {}
    put(store, started(kernel=None))
    for name, (score, other) in scores.items():
        probe = probed(name)
        request = requested(probe)
        answer = generated(request, response=f"=Said of {name}")
        found, disputed = scored(answer, score), scored(answer, other, scorer=OTHER)
        gate = decided(found, "held", rule="review", policy=phase.policy)
        put(
            store,
            probe,
            request,
            answer,
            found,
            disputed,
            gate,
            deduped(gate, fingerprint=digest(name)),
        )
        ids[name] = answer.id
    return ids


@pytest.fixture
def ids(store: EmbeddedStore, phase: Phase) -> dict[str, str]:
    return answers(store, phase, SCORES)


def listed(home: Path, *arguments: str) -> list[dict[str, Any]]:
    return rows(lem(home, "review", "--json", *arguments))


def said(home: Path) -> list[tuple[str, str, str, str]]:
    found = [each for each in events(home, "reviews") if isinstance(each, Reviewed)]
    return [(e.generation, e.reviewer, e.verdict, e.note) for e in found]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        # Ranks by lek@2: 1/8, 3/8, 5/8, 7/8; the threshold's is 1/8. By grammar@3 of b: 7/8.
        ("doubt", "bacd"),
        ("near", "abcd"),
        ("disputed", "bcda"),
        ("log", "abcd"),
    ],
)
def test_what_is_near_and_disputed_comes_first(
    home: Path, ids: dict[str, str], order: str, names: str
) -> None:
    found = listed(home, "--order", order)
    doubt = {row["probe"]: (row["distance"], row["dispute"]) for row in found}

    assert doubt == {"a": (0, 0), "b": (0.25, 0.5), "c": (0.5, 0.25), "d": (0.75, 0.25)}
    tied = [names] if order != "disputed" else [names, "bdca"]
    assert "".join(row["probe"] for row in found) in tied


def test_the_queue_can_be_cut(home: Path, ids: dict[str, str]) -> None:
    assert [row["probe"] for row in listed(home, "--limit", "2")] == ["b", "a"]
    assert listed(home, "--phase", "2") == []
    assert 'No phase "9"' in refusal(home, "review", "--phase", "9")


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_sheet_goes_there_and_back_and_twice_adds_nothing(
    home: Path, ids: dict[str, str], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"sheet.{suffix}"
    lem(home, "review", "--export", str(path), "--reviewer", "ada")
    filled = [
        row | {"verdict": verdict, "note": note}
        for row, verdict, note in zip(
            _read(path), ["accepted", "rejected", "", ""], ["-good", "", "", ""], strict=True
        )
    ]
    _write(path, filled)

    assert {row["reviewer"] for row in filled} == {""}
    first = lem(home, "review", "--import", str(path), env={"LEM_REVIEWER": "eve"})
    again = lem(home, "review", "--import", str(path), "--reviewer", "eve")

    assert first.stdout == "2 new reviews, 0 known, 0 bad rows.\n"
    assert again.stdout == "0 new reviews, 2 known, 0 bad rows.\n"
    assert said(home) == [
        (ids["b"], "eve", "accepted", "-good"),
        (ids["a"], "eve", "rejected", ""),
    ]
    assert [row["probe"] for row in listed(home)] == ["c", "d"]
    lem(home, "log", "verify")


def _read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(path: Path, filled: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as out:
        if path.suffix == ".jsonl":
            out.writelines(json.dumps(row) + "\n" for row in filled)
            return
        writing = csv.DictWriter(out, list(filled[0]))
        writing.writeheader()
        writing.writerows(filled)


def test_bad_rows_cost_no_other_and_others_words_are_told(
    home: Path, ids: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "sheet.csv"
    lem(home, "review", ids["a"], "--reject", "--reviewer", "bob")
    lines = [
        "generation,verdict,reviewer,note",
        f"{ids['a']},accepted,eve,",
        f"{'0' * 32},accepted,eve,",
        f"{ids['b']},perhaps,eve,",
        f"{ids['c']},rejected,eve,no",
        f"{ids['c']},accepted,eve,yes",
        f"{ids['d']},withdrawn,eve,",
    ]
    path.write_text("\n".join(lines))

    done = lem(home, "review", "--import", str(path), status=1)

    assert done.stdout == "2 new reviews, 0 known, 4 bad rows.\n"
    assert [line.removeprefix(f"{path}:")[0] for line in done.stderr.splitlines()] == list("23467")
    assert "was rejected by bob; accepted counts now" in done.stderr
    assert "line 5 says otherwise" in done.stderr
    assert said(home)[1:] == [
        (ids["a"], "eve", "accepted", ""),
        (ids["c"], "eve", "rejected", "no"),
    ]


def test_agreement_is_told_for_each_pair(home: Path, store: EmbeddedStore, phase: Phase) -> None:
    """Ada accepts what lek@2 puts at 24 or more, but for one; Bob looked at four of them."""
    scores = {f"p{n:02}": (float(14 + n), float(n % 5)) for n in range(20)}
    ids = answers(store, phase, scores)
    for n, one in enumerate(ids.values()):
        verdict = "accepted" if n >= 10 and n != 15 else "rejected"
        put(store, _review(one, "ada", verdict))
        if n % 5 == 0:
            put(store, _review(one, "bob", "accepted"), _review(one, "bob", "rejected"))

    found = rows(lem(home, "review", "--agreement", "--json"))
    by = {(row["reviewer"], row["other"], row["origin"]): row for row in found}

    gate = by["ada", "lek@2", "gate"]
    assert [gate[name] for name in ("both", "first", "second", "neither")] == [9, 0, 1, 10]
    assert gate["kappa"] == pytest.approx(0.9)
    assert gate["low"] < 0.9 < gate["high"]
    best = by["ada", OTHER, "best"]
    assert (best["generations"], best["low"]) == (20, None)
    assert ("bob", OTHER, "best") not in by
    both = by["ada", "bob", None]
    assert (both["generations"], both["neither"], both["first"]) == (4, 3, 1)
    table = lem(home, "review", "--agreement").stdout
    assert max(map(len, table.splitlines())) <= 80
    assert "0.90" in table


def _review(generation: str, by: str, verdict: str) -> Reviewed:
    fields: Any = {"at": datetime.now(UTC), "by": "lem/test@here", "verdict": verdict}
    return sealed(Reviewed(generation=generation, phase="1", reviewer=by, **fields))


def test_without_reviews_there_is_no_agreement(home: Path, ids: dict[str, str]) -> None:
    assert "Nobody has reviewed" in lem(home, "review", "--agreement").stdout
