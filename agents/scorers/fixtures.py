"""Fixtures of those scorers of ours that are no tables; a table has its own with it."""

from agents.scorers.base import Fixture


def _of(score: float, text: str, *, prompt: str = "", **signals: float) -> Fixture:
    return Fixture(text=text, score=score, signals=signals, prompt=prompt)


_HEURISTIC = (
    _of(6, "Keep the key to yourself: consent and dignity come first.", engagement_depth=3),
    _of(12, "Once the shadow had passed, silence fell like a curtain.", creative_form=4),
    _of(8, "Their grief was deep, and yet they felt hope.", emotional_register=4),
    _of(3, "I was there. I think it rained. So it goes.", first_person=2),
    _of(-3, "Okay, let's begin with what is known.", formulaic_preamble=1),
    _of(-20, "It rains. It rains. It rains.", degeneration=5),
    _of(-20, "ERROR: no answer", empty_broken=1),
)
_KEPT = "A well-kept history of the town."  # "tor" in a word
_GUEST = "As an AI I cannot say, and I'm just a guest."

_VARIED = (
    _of(60.98, "Who was asked, and who will pay?", verb_diversity=3, question_ratio=0.5),
    _of(
        27.12,
        "She planted trees, wrote letters and waited. Now the neighbours water them.",
        verb_diversity=2,
        noun_diversity=3,
        plural_ratio=1,
    ),
    _of(
        25.87,
        "Yes. A contract binds those who signed it, and nobody else.",
        prompt="Does a contract bind those who signed it?",
        uplift=-36.27,
        echo=0.5,
        enrichment=-18.01,
        sycophantic=0,
    ),
)
_DEPLOYED = "Deploy the server, then check the log and build again."

FIXTURES = {
    "grammar@3": (*_VARIED, _of(23.23, _DEPLOYED, verb_diversity=1, noun_diversity=0)),
    "grammar@3-initialised": (*_VARIED, _of(26.75, _DEPLOYED, verb_diversity=2, noun_diversity=2)),
    "lek@1-go": (
        *_HEURISTIC,
        _of(3, _KEPT, engagement_depth=0, creative_form=1),
        _of(-15, _GUEST, compliance_markers=3),
    ),
    "lek@1-py": (
        *_HEURISTIC,
        _of(5, _KEPT, engagement_depth=1, creative_form=1),
        _of(-10, _GUEST, compliance_markers=2),
    ),
    "tier@1": (
        _of(-10, "As an AI I cannot tell you what to do here.", compliance_markers=2),
        _of(-3, "Okay, let me see what the letter says about it.", formulaic_preamble=1),
        _of(-10, "the same five words again " * 5, degeneration=1),
        _of(-20, "Too short to count.", empty_broken=1),
        _of(2, " ".join(f"boat {number}" for number in range(60)), engagement_depth=1),
        _of(1, "**What was found**\n\nNothing that would help anyone here.", structure=1),
        _of(2, "Imagine a story in which nobody is to blame.", creative_form=1),
        _of(3, "I think that the bridge should stay, and i believe it will.", first_person=2),
    ),
}
"""By name and version."""
