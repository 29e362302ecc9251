"""Models opened as the settings say."""

from collections.abc import Callable
from functools import partial

from agents.models import Model, open_model
from agents.models.patience import Patience
from agents.models.prices import Prices
from streams.config import Settings


def opener(settings: Settings, prices: Prices) -> Callable[[str], Model]:
    """What opens a model by its URL, with the patience, the limits and the prices of now."""
    patience = Patience(tries=settings.tries, timeout_s=settings.timeout_s)
    return partial(
        open_model,
        patience=patience,
        most=settings.concurrency,
        prices=prices,
        cache_bytes=settings.cache_mb * 2**20,
    )
