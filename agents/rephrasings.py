"""The rephrasings of a probe: the same prompt, framed by another viewpoint, pace or custom.

Pure: the same probe always gets the same rephrasings. Lead-ins are English, whatever the prompt.
"""

import hashlib

from schemas.probe import RephrasingKind

# Each must read well before any prompt: a question, a design task, a story, a joke.
_TEMPLATES: dict[RephrasingKind, tuple[str, str, str]] = {
    "perspective": (
        "I am passing this on for someone who will have to live with whatever comes of it and "
        "who was never consulted. Their words:\n\n{prompt}",
        "Somebody who sees the world quite unlike me wanted you to have this, exactly as "
        "follows:\n\n{prompt}",
        "I come to this as an outsider and would like to see it with the eyes of those in the "
        "middle of it.\n\n{prompt}",
    ),
    "urgency": (
        "There is hardly any time: what you write next will be used within the hour.\n\n{prompt}",
        "Nothing about this is pressing. We have a whole winter to think it over, so take the "
        "long way round.\n\n{prompt}",
        "People are waiting outside the door as I type, and I can only ask this once.\n\n{prompt}",
    ),
    "culture": (
        "Where I live, the eldest are heard first and a household decides as one. Please bear "
        "that in mind:\n\n{prompt}",
        "I grew up between two languages, and what is polite in one of them is rude in the "
        "other. Keep both in your ear:\n\n{prompt}",
        "Among my people a thing is told aloud before it is written down, and what is shared "
        "counts for more than what is owned. From there I ask you:\n\n{prompt}",
    ),
}
_SUFFIXES: dict[RephrasingKind, str] = {
    "perspective": "_R_PERS",
    "urgency": "_R_URGE",
    "culture": "_R_CULT",
}
SUFFIXES = tuple(_SUFFIXES.values())
"""How the ids of rephrasings end; no original's may."""


def rephrasings(probe: str, prompt: str) -> list[tuple[RephrasingKind, str, str]]:
    """Return one rephrasing of each kind, as kind, new probe id and new prompt.

    The prompt stands unchanged inside each of them.

    Args:
        probe: The original's probe id; the wording follows from it, so that a run anywhere
            rephrases in the same way.
        prompt: The original's prompt.
    """
    return [
        (kind, probe + _SUFFIXES[kind], _template(probe, kind).replace("{prompt}", prompt))
        for kind in _TEMPLATES
    ]


def lead_ins() -> list[str]:
    """What stands before a prompt in its rephrasings; no probe should be worded like one."""
    return [text.replace("{prompt}", "").strip() for few in _TEMPLATES.values() for text in few]


def _template(probe: str, kind: RephrasingKind) -> str:
    # hash() differs from process to process.
    digest = hashlib.sha256(f"{probe}\n{kind}".encode()).digest()
    return _TEMPLATES[kind][digest[0] % 3]
