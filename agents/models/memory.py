"""How much memory this machine has for a model's caches."""

import os
from pathlib import Path
from typing import Any

_SHARE = 0.5  # of what the weights leave; the system and the rest of the pipeline need some too
_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container
_LEAST = 256 * 2**20


def total_bytes() -> int:
    """The memory that models may use: on Apple silicon what Metal recommends, else all there is."""
    import mlx.core as mx

    if mx.metal.is_available():
        return int(mx.device_info()["max_recommended_working_set_size"])
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = _LIMIT.read_text().strip() if _LIMIT.exists() else ""
    return min(machine, int(told)) if told.isdigit() else machine


def cache_bytes(model: Any) -> int:
    """What may go into the caches of this model."""
    from mlx.utils import tree_flatten

    parts: Any = tree_flatten(model.parameters())
    weights = sum(each.nbytes for _, each in parts)
    return max(_LEAST, int(_SHARE * (total_bytes() - weights)))
