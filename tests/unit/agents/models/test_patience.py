"""How long is waited between two tries."""

from datetime import UTC, datetime

import pytest

from agents.models.patience import Patience, told_s, wait_s


@pytest.mark.parametrize(("attempt", "limit"), [(1, 0.5), (2, 1.0), (3, 2.0), (9, 30.0)])
def test_the_longest_wait_doubles_up_to_a_limit(attempt: int, limit: float) -> None:
    drawn = [wait_s(Patience(), attempt) for _ in range(200)]

    assert 0 <= min(drawn) < max(drawn) <= limit


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("7", 7.0),
        ("-7", 0.0),
        ("nan", 0.0),
        ("soon", None),
        ("Fri, 01 Jan 2021 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Mon, 01 Jan 2035 00:00:00 +9999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, expected: float | None) -> None:
    assert told_s(header) == expected


def test_retry_after_may_be_a_date_to_come() -> None:
    year = datetime.now(UTC).year + 2

    assert (told_s(f"Mon, 01 Jan {year} 00:00:00 GMT") or 0) > 86400 * 300
