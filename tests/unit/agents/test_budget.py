"""A run costs no more than its budget, however many answers are under way."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from agents.budget import Budget, Budgets, spent
from agents.models import Ask
from agents.models.openai import OpenAIModel
from agents.models.prices import Price, Prices
from streams.errors import BudgetSpent, ConfigError, ModelError
from streams.log.store import EmbeddedStore
from tests.events import generated, put, requested
from tests.models import Asked, Reply, asking, completion, served

URL = "openai:http://localhost/v1#large"
EACH = Price(prompt=0, completion=1_000_000)
ASK = asking(max_tokens=1)
"""An answer to it costs one at most."""


def budgets(most: float, prices: Prices | None = None, **before: float) -> Budgets:
    async def look() -> Mapping[str, float]:
        return before

    return Budgets(most, Prices({URL: EACH}) if prices is None else prices, look)


async def paid(found: Budgets, cost: float | None = 1.0, run: str = "r", ask: Ask = ASK) -> None:
    async with found.holding(requested(run=run, model=URL), ask) as hold:
        await asyncio.sleep(0)
        hold.cost = cost


def test_what_is_under_way_is_set_aside() -> None:
    budget = Budget("r", most=3.0, spent=1.0)

    assert budget.hold(1.5)
    assert not budget.hold(1.0)
    budget.settle(1.5, 0.5)
    assert budget.hold(1.0)
    assert (budget.spent, budget.most) == (1.5, 3.0)


def test_a_run_that_cannot_pay_is_told_of() -> None:
    budget = Budget("distill-1-a", most=3.0, spent=2.5)

    with pytest.raises(BudgetSpent) as caught:
        budget.hold(0.75)
    assert str(caught.value) == (
        "Run distill-1-a has cost 2.5000 of its budget of 3.0000, and its next answer may cost "
        "0.7500; raise LEM_BUDGET, or have the phase ask for fewer tokens (max_tokens)."
    )
    assert isinstance(caught.value, ModelError)  # so that --skip-failing goes past it


async def test_a_run_stops_before_it_costs_more() -> None:
    found = budgets(10.0, r=4.0)

    for _ in range(6):
        await paid(found)
    with pytest.raises(BudgetSpent, match=r"Run r has cost 10\.0000 of"):
        await paid(found)
    await paid(found, run="other")


async def test_those_that_would_be_too_much_wait_for_those_under_way() -> None:
    """Two hundred at once, of which each may cost 1 and costs a tenth."""
    found = budgets(10.0)

    done = await asyncio.gather(*(paid(found, 0.1) for _ in range(200)), return_exceptions=True)

    assert done.count(None) in (90, 91)  # then there is less than 1 left
    assert {type(each) for each in done if each} == {BudgetSpent}


async def test_an_answer_that_failed_costs_nothing() -> None:
    found = budgets(1.0)

    for _ in range(9):
        with pytest.raises(ZeroDivisionError):
            async with found.holding(requested(run="r", model=URL), ASK):
                raise ZeroDivisionError
    await paid(found)


async def test_who_is_no_more_wanted_waits_no_longer() -> None:
    found = budgets(1.0)
    async with found.holding(requested(run="r", model=URL), ASK):
        waiting = asyncio.create_task(_unwanted(found))
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def _unwanted(found: Budgets) -> None:
    async with found.holding(requested(run="r", model=URL), ASK, lambda: False):
        raise AssertionError("it was asked")


async def test_without_a_budget_nothing_is_looked_up_or_stopped() -> None:
    async def look() -> Mapping[str, float]:
        raise AssertionError("it was looked up")

    found = Budgets(0.0, Prices({URL: EACH}), look)
    for _ in range(9):
        await paid(found, 100.0)


async def test_a_budget_needs_a_price() -> None:
    with pytest.raises(ConfigError, match=r"has no price.* LEM_PRICES"):
        await paid(budgets(1.0, Prices({})))


@pytest.mark.parametrize("url", ["mlx:x/y", "canned:file"])
async def test_a_model_on_this_machine_costs_nothing(url: str) -> None:
    found = budgets(1.0, Prices({}))
    for _ in range(9):
        async with found.holding(requested(run="r", model=url), ASK) as hold:
            hold.cost = None


def test_what_runs_have_cost_stands_on_the_log(store: EmbeddedStore, tmp_path: Path) -> None:
    costs = [("a", 0.25), ("a", 0.5), ("b", 1.0), ("b", None), ("c", None)]
    for sample, (run, cost) in enumerate(costs):
        put(store, generated(requested(run=run, sample=sample), cost=cost))

    assert spent(store, tmp_path / "home") == {"a": 0.75, "b": 1.0}


async def test_what_a_server_takes_never_exceeds_the_budget() -> None:
    """Every answer costs what its tokens cost, and as many are under way as may be."""

    def reply(asked: Asked, at_once: int) -> Reply:
        return completion("Yes.", usage={"prompt_tokens": 1, "completion_tokens": 3})

    with served(reply) as server:
        url = f"openai:{server.url}#large"
        price = Price(prompt=10_000, completion=1_000_000)
        model = OpenAIModel(f"{server.url}#large", price=price)
        found = budgets(100.0, Prices({url: price}))
        asks = (_asked(found, model, url, seed) for seed in range(60))
        costs = await asyncio.gather(*asks, return_exceptions=True)
        model.close()

    told = [cost for cost in costs if isinstance(cost, float)]
    assert told == [pytest.approx(3.01)] * len(told)
    assert len(server.asked) == len(told)
    assert 100.0 - 8 < sum(told) <= 100.0
    assert all(isinstance(cost, float | BudgetSpent) for cost in costs)


async def _asked(found: Budgets, model: OpenAIModel, url: str, seed: int) -> float | None:
    ask = asking("", seed=seed, max_tokens=7)
    async with found.holding(requested(run="r", model=url), ask) as hold:
        answer = await asyncio.wrap_future(model.submit(ask))
        hold.cost = answer.cost
    return answer.cost
