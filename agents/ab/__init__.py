"""A/B: the same probes asked with a kernel and without it, and what the kernel changed.

`asking` plans the requests, `answers` reads what came of them, `statistics` and `comparing` say
what it shows, `written` puts it down as the predecessor did.
"""

PHASE = "ab"
"""The phase of A/B requests. No curriculum may have it, so that no gate takes their answers up."""

BASELINE = "baseline"
"""The condition without a kernel."""
