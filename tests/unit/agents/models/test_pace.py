"""The batch has the size at which most tokens a second come."""

import random
from collections.abc import Callable

import pytest

from agents.models.pace import Pace


def _settled(pace: Pace, seconds: Callable[[int], float], steps: int = 2000) -> int:
    for _ in range(steps):
        pace.told(pace.size, seconds(pace.size))
    return pace.size


def test_where_rows_are_free_it_grows_to_the_most() -> None:
    assert _settled(Pace(64), lambda rows: 1.0) == 64


def test_where_rows_cost_as_much_as_they_bring_it_shrinks_to_one() -> None:
    assert _settled(Pace(64), lambda rows: float(rows)) == 1


@pytest.mark.parametrize("best", [2, 4, 8, 16, 32])
def test_it_finds_the_size_behind_which_it_gets_slower(best: int) -> None:
    assert _settled(Pace(64), lambda rows: 1.0 if rows <= best else (rows / best) ** 1.5) == best


@pytest.mark.parametrize(("free", "best"), [(8, 8), (32, 32), (64, 64)])
def test_rows_that_are_left_of_a_larger_size_mislead_nobody(free: int, best: int) -> None:
    """Rows come in when there is room, and stay until they are written."""
    pace, chance, rows = Pace(64), random.Random(1), list[int]()
    for _ in range(4000):
        rows = [left - 1 for left in rows if left > 1]
        rows += [chance.randrange(200, 600) for _ in range(pace.size - len(rows))]
        pace.told(len(rows), max(1.0, len(rows) / free))

    assert pace.size == best


def test_it_looks_again_when_the_best_size_has_changed() -> None:
    pace = Pace(64)
    assert _settled(pace, lambda rows: 1.0) == 64

    assert _settled(pace, lambda rows: float(rows), 8000) == 1


def test_a_batch_that_is_not_full_says_nothing() -> None:
    pace = Pace(64)
    for _ in range(1000):
        pace.told(3, 1.0)

    assert pace.size == 8


@pytest.mark.parametrize("most", [1, 2, 3, 5, 48])
def test_it_never_goes_beyond_the_most(most: int) -> None:
    pace = Pace(most)
    sizes = set()
    for _ in range(2000):
        sizes.add(pace.size)
        pace.told(pace.size, 1.0)

    assert max(sizes) == most
