"""How much memory this machine has for a model's caches."""

import os
from typing import Any

_SHARE = 0.5  # of what the weights leave; the system and the rest of the pipeline need some too
_LEAST = 256 * 2**20


def total_bytes() -> int:
    """The memory that models may use: on Apple silicon what Metal recommends, else all there is."""
    import mlx.core as mx

    if mx.metal.is_available():
        return int(mx.device_info()["max_recommended_working_set_size"])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cache_bytes(model: Any) -> int:
    """What may go into the caches of this model."""
    from mlx.utils import tree_flatten

    parts: Any = tree_flatten(model.parameters())
    weights = sum(each.nbytes for _, each in parts)
    return max(_LEAST, int(_SHARE * (total_bytes() - weights)))
