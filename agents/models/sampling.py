"""Drawing the next token of many rows, each by its own key: the company of a row has no say.

The distribution is that of `mlx_lm.sample_utils`, whose filters do the work: nucleus, min-p and
top-k on the model's own probabilities, then the temperature.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from schemas.request import Sampling


class Drawing(NamedTuple):
    """How one row's token is drawn."""

    sampling: Sampling
    seed: int
    place: int
    """Which token of the answer, from 0; with the seed it makes the key."""


def draw(logits: Any, rows: Sequence[Drawing]) -> Any:
    """A token for each row.

    Args:
        logits: Rows by vocabulary, as the model gives them.
        rows: In their order.
    """
    import mlx.core as mx

    kinds = list(dict.fromkeys(row.sampling for row in rows))
    if len(kinds) == 1:
        return _drawn(logits, rows)
    places = [[at for at, row in enumerate(rows) if row.sampling == kind] for kind in kinds]
    parts = [_drawn(logits[mx.array(each)], [rows[at] for at in each]) for each in places]
    order = [at for each in places for at in each]
    back = sorted(range(len(order)), key=order.__getitem__)
    return mx.concatenate(parts)[mx.array(back)]


def _drawn(logits: Any, rows: Sequence[Drawing]) -> Any:
    import mlx.core as mx

    sampling = rows[0].sampling
    if sampling.temperature == 0:
        return mx.argmax(logits, axis=-1).astype(mx.uint32)
    logprobs = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    logprobs = _filtered(logprobs, sampling)
    keys = mx.array([[row.seed, row.place] for row in rows], dtype=mx.uint32)
    return _by_key()(keys, logprobs / sampling.temperature)


def _filtered(logprobs: Any, sampling: Sampling) -> Any:
    from mlx_lm.sample_utils import apply_min_p, apply_top_k, apply_top_p

    if 0 < sampling.top_p < 1:
        logprobs = apply_top_p(logprobs, sampling.top_p)
    if sampling.min_p > 0:
        logprobs = apply_min_p(logprobs, sampling.min_p)
    # All tokens or more are no limit, but MLX refuses them.
    if 0 < sampling.top_k < logprobs.shape[-1]:
        logprobs = apply_top_k(logprobs, sampling.top_k)
    return logprobs


@cache
def _by_key() -> Any:
    import mlx.core as mx

    return mx.vmap(lambda key, logits: mx.random.categorical(logits, key=key))
