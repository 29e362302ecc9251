"""A run with prices tells what it costs, and stops before it costs more than it may."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas import Generated
from tests.lem import events, lem, rows
from tests.models import Server, completion, served

ANSWER = completion("Both may be right.", usage={"prompt_tokens": 500, "completion_tokens": 10})
COST, MOST = 1.0, 4.8
"""Of an answer, by the prices below, and of one with as many tokens as the phase allows."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@contextmanager
def planned(home: Path, count: int) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with prices, and a run that asks it."""
    with served(lambda *_: ANSWER) as server:
        prices = home.parent / "prices.yaml"
        prices.write_text(f"openai:{server.url}*: {{prompt: 0, completion: 100000}}")
        lem(home, "seed")
        model = f"openai:{server.url}#gemma"
        lem(home, "distill", "--phase", "demo", "--model", model, "--limit", str(count))
        yield server, {"LEM_PRICES": str(prices)}


def costs(home: Path) -> list[float | None]:
    return [each.cost for each in events(home, "generations") if isinstance(each, Generated)]


def test_every_answer_has_its_cost_and_the_log_its_sum(home: Path) -> None:
    with planned(home, 5) as (_, env):
        lem(home, "run", "--until-idle", env=env)

    assert costs(home) == [COST] * 5
    query = "select sum(cost) as cost from generations group by run"
    assert rows(lem(home, "sql", query, "--json")) == [{"cost": 5 * COST}]


def test_a_run_stops_before_it_costs_more_and_goes_on_with_more(home: Path) -> None:
    """What it has cost is known from the log, so that another worker counts on."""
    with planned(home, 12) as (server, env):
        for _ in range(2):
            stopped = lem(home, "run", "--until-idle", status=1, env=env | {"LEM_BUDGET": "9.5"})
            assert "of its budget of 9.5000" in stopped.stderr
            assert "raise LEM_BUDGET" in stopped.stderr
            assert stopped.stderr.count("\n") == 1
        spent = len(costs(home))
        lem(home, "run", "--until-idle", env=env | {"LEM_BUDGET": "100"})

    assert 9.5 - MOST < spent * COST <= 9.5
    assert costs(home) == [COST] * 12
    assert len(server.asked) == 12


def test_a_run_whose_budget_is_spent_can_be_passed_by(home: Path) -> None:
    with planned(home, 12) as (server, env):
        skip = ("--until-idle", "--skip-failing")
        lem(home, "run", *skip, env=env | {"LEM_BUDGET": "9.5"})

    assert len(costs(home)) == 12
    assert len(server.asked) == len([cost for cost in costs(home) if cost]) < 10


def test_a_model_without_a_price_is_not_asked_where_there_is_a_budget(home: Path) -> None:
    with planned(home, 2) as (server, _):
        stopped = lem(home, "run", "--until-idle", status=1, env={"LEM_BUDGET": "5"})

    assert "has no price" in stopped.stderr
    assert server.asked == []
