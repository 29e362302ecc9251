"""The lot among models: as large as their shares, and moved by nothing that need not move it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.shares import drawn, parsed
from streams.errors import ConfigError
from streams.ids import digest

KEYS = [digest(["prompt", n]) for n in range(3000)]

weights = st.lists(st.integers(1, 20), min_size=2, max_size=4)


def portions(counts: list[int]) -> dict[str, float]:
    return {f"canned:{n}": count / sum(counts) for n, count in enumerate(counts)}


def lots(shares: dict[str, float]) -> list[str]:
    return [drawn(shares, key) for key in KEYS]


@settings(deadline=None, max_examples=25)
@given(weights)
def test_each_model_gets_its_share(counts: list[int]) -> None:
    shares = portions(counts)
    found = lots(shares)

    # Five standard deviations of a fair draw of so many.
    assert all(
        abs(found.count(model) / len(KEYS) - share) < 0.046 for model, share in shares.items()
    )


@settings(deadline=None, max_examples=25)
@given(weights)
def test_the_order_of_the_models_does_not_matter(counts: list[int]) -> None:
    shares = portions(counts)

    assert lots(dict(reversed(shares.items()))) == lots(shares)


@settings(deadline=None, max_examples=25)
@given(weights, st.integers(1, 20))
def test_one_more_model_takes_from_the_others_and_moves_nothing_between_them(
    counts: list[int], more: int
) -> None:
    before, after = lots(portions(counts)), lots(portions([*counts, more]))
    new = f"canned:{len(counts)}"

    assert [old for old, now in zip(before, after, strict=True) if now not in (old, new)] == []
    assert new in after


@settings(deadline=None, max_examples=25)
@given(weights, st.integers(1, 20))
def test_a_larger_share_moves_lots_to_that_model_only(counts: list[int], more: int) -> None:
    before = lots(portions(counts))
    after = lots(portions([counts[0] + more, *counts[1:]]))

    moved = {now for old, now in zip(before, after, strict=True) if now != old}
    assert moved <= {"canned:0"}


def test_the_lot_falls_as_it_always_did() -> None:
    """Another lot would ask again what was asked of another model."""
    found = [drawn({"mlx:own": 0.7, "openai:http://h/v1#m": 0.3}, key) for key in KEYS[:12]]

    assert "".join(each[0] for each in found) == "mmmommomoomo"


def test_shares_are_read_as_they_are_written() -> None:
    both = ["openai:http://h/v1?a=b#m=0.3", "mlx:own=.7"]

    assert parsed(both) == {"openai:http://h/v1?a=b#m": 0.3, "mlx:own": 0.7}
    assert parsed(["mlx:own"]) == parsed(["mlx:own=1"]) == {"mlx:own": 1.0}
    assert parsed(["openai:http://h/v1?a=b#m"]) == {"openai:http://h/v1?a=b#m": 1.0}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["A=0.7", "B=0.2"], "--model: shares should be above 0 and add up to 1, got 0.7, 0.2."),
        (["A=1", "B=0"], "--model: shares should be above 0 and add up to 1, got 1, 0."),
        (["A=70", "B=30"], "--model: shares should be above 0 and add up to 1, got 70, 30."),
        (["A=0.5", "A=0.5"], "--model A is named twice; write it once, with its whole share."),
        (["A", "B=1"], "--model A has no share, but there are several models; write --model"),
    ],
)
def test_shares_that_do_not_fit_are_refused(values: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(values)

    assert str(caught.value).startswith(told)
