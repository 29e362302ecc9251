"""Old versions of events, lifted to today's: one function a step.

An event on a log is never rewritten. When a schema changes, raise its `current`, and add here the
function `TYPE_OLD_to_NEW` that turns the old fields into the new ones.
"""

from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]
Step = Callable[[Fields], Fields]

STEPS: dict[tuple[str, int], Step] = {}
"""From (type, version) to the function that lifts it by one version."""


def lifted(fields: Fields, current: int) -> Fields:
    """The fields of an event, lifted step by step to version `current`.

    Raises:
        LookupError: There is no step from a version that the event goes through, or the event is
            newer than this code.
    """
    version = fields.get("schema", 1)
    if not isinstance(version, int) or version > current:
        raise LookupError(f"schema {version!r} is newer than {current}, the newest known here")
    while version < current:
        step = STEPS.get((fields["type"], version))
        if step is None:
            raise LookupError(f"no step lifts {fields['type']} from schema {version}")
        fields = step(dict(fields))
        version += 1
        fields["schema"] = version
    return fields
