"""Budgets: what a run may cost, and that it costs no more.

Before an answer is asked for, the most that it may cost is set aside, and what is left of that
comes back with the answer. So a run stops before it costs more, also where many answers are under
way; near its end fewer of them are. What a failed try cost is not known and not counted, nor what
other workers of the group spend after this one began.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from agents.models import Ask
from agents.models.prices import Price, Prices
from schemas import Requested
from streams.errors import BudgetSpent, ConfigError
from streams.log.door import Store

SPENT = "select run, sum(cost) from generations where cost is not null group by run"
"""What each run has cost, in the views."""


class Budget:
    """What one run may cost. Pure: it knows no model, no clock and no log."""

    def __init__(self, run: str, *, most: float, spent: float = 0.0) -> None:
        """Begin.

        Args:
            run: The run.
            most: What it may cost.
            spent: What it has cost before.
        """
        self.run, self.most, self.spent = run, most, spent
        self._held: list[float] = []

    def hold(self, cost: float) -> bool:
        """Set aside what an answer costs at most; false where others must come in first.

        Raises:
            BudgetSpent: There are none to wait for, and it is more than what is left.
        """
        if self.spent + sum(self._held) + cost > self.most:
            if self._held:
                return False
            raise self._is_spent(cost)
        self._held.append(cost)
        return True

    def settle(self, held: float, cost: float) -> None:
        """Count what an answer has cost in place of what was set aside for it."""
        self._held.remove(held)
        self.spent += cost

    def _is_spent(self, cost: float) -> BudgetSpent:
        return BudgetSpent(
            f"Run {self.run} has cost {self.spent:.4f} of its budget of {self.most:.4f}, and its "
            f"next answer may cost {cost:.4f}; raise LEM_BUDGET, or have the phase ask for fewer "
            "tokens (max_tokens)."
        )


class Hold:
    """What was set aside for one answer."""

    cost: float | None = None
    """What it has cost; to be set when it is known."""


class Budgets:
    """The budget of every run that a worker is at. Belongs to one event loop."""

    def __init__(
        self, most: float, prices: Prices, spent: Callable[[], Awaitable[Mapping[str, float]]]
    ) -> None:
        """Begin.

        Args:
            most: What a run may cost; 0 for no limit.
            prices: What models cost.
            spent: Looks up what each run has cost before; called once, where there is a limit.
        """
        self._most, self._prices, self._spent = most, prices, spent
        self._runs: dict[str, Budget] = {}
        self._before: Mapping[str, float] | None = None
        self._door = asyncio.Lock()
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def holding(
        self, requested: Requested, ask: Ask, is_wanted: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[Hold]:
        """Wait until the run can pay for an answer, and count what it cost when it is there.

        Args:
            requested: What is asked for.
            ask: The same for the model.
            is_wanted: Whether it is still to be asked, when its turn comes.

        Raises:
            BudgetSpent: The run can't pay for it.
            CancelledError: It is no more wanted.
            ConfigError: There is a limit, but the model has no price.
        """
        price = self._price(requested.model)
        hold, held = Hold(), price.most(ask) if price and self._most else 0.0
        if not held:
            yield hold
            return
        budget = await self._budget(requested.run or "")
        while not budget.hold(held):
            await self._settled.wait()
            if not is_wanted():
                raise asyncio.CancelledError
        try:
            yield hold
        finally:
            budget.settle(held, hold.cost or 0.0)
            self._settled.set()
            self._settled = asyncio.Event()

    def _price(self, url: str) -> Price | None:
        price = self._prices.of(url)
        if price is None and self._most and url.startswith("openai:"):
            raise ConfigError(
                f"Model {url} has no price, so that the budget of {self._most:g} can't be kept; "
                "write its line into the file that LEM_PRICES names, 0 where it costs nothing."
            )
        return price

    async def _budget(self, run: str) -> Budget:
        async with self._door:
            if self._before is None:
                self._before = await self._spent()
        known = Budget(run, most=self._most, spent=self._before.get(run, 0.0))
        return self._runs.setdefault(run, known)


def spent(store: Store, home: Path) -> dict[str, float]:
    """What each run has cost, by the log as it is now."""
    from streams.replay import opened

    with opened(store, home) as views:
        return dict(views.db.execute(SPENT).fetchall())
