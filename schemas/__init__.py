"""Every event that a log can hold, and `Event`, their tagged union."""

from schemas.burial import Buried
from schemas.dataset import Check, File, Materialized, Position, Refused
from schemas.decision import Decided, Finding
from schemas.generation import Generated
from schemas.probe import Probed
from schemas.request import Requested, Sampling
from schemas.review import Reviewed
from schemas.run import Kernel, Started
from schemas.score import Scored

Event = (
    Probed | Started | Requested | Generated | Scored | Decided | Reviewed | Materialized | Buried
)

__all__ = [
    "Buried",
    "Check",
    "Decided",
    "Event",
    "File",
    "Finding",
    "Generated",
    "Kernel",
    "Materialized",
    "Position",
    "Probed",
    "Refused",
    "Requested",
    "Reviewed",
    "Sampling",
    "Scored",
    "Started",
]
