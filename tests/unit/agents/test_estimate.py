"""How many requests a phase needs, from what became of those before."""

import pytest

from agents.estimate import Counted, needed, rate


@pytest.mark.parametrize(
    ("counted", "found"),
    [
        (Counted(), None),
        (Counted(waiting=50), None),
        (Counted(accepted=25, rejected=75), 0.25),
        (Counted(rejected=75), 0.0),
        (Counted(held=40, rejected=60), None),  # who passed is known, who is accepted is not
        (Counted(held=20, accepted=10, refused=10, rejected=60), 0.2),
        (Counted(held=40, refused=10, rejected=50), 0.0),
    ],
)
def test_a_rate_is_said_where_there_is_one(counted: Counted, found: float | None) -> None:
    assert rate(counted) == (found if found is None else pytest.approx(found))


@pytest.mark.parametrize(
    ("counted", "missing", "found"),
    [
        (Counted(accepted=25, rejected=75), 100, 400),
        (Counted(accepted=25, rejected=75, waiting=200), 100, 200),
        (Counted(accepted=25, rejected=75, waiting=900), 100, 0),
        (Counted(accepted=1, rejected=2), 1, 3),
        (Counted(accepted=10, refused=10, held=20, rejected=60), 30, 100),
        (Counted(), 100, None),
        (Counted(rejected=5), 100, None),
        (Counted(rejected=5), 0, 0),
    ],
)
def test_needed_are_what_is_missing_by_the_rate(
    counted: Counted, missing: int, found: int | None
) -> None:
    assert needed(counted, missing) == found
