"""The scores: what an imprint is worth, and what a response adds to its prompt."""

from collections.abc import Callable, Sequence
from functools import partial

from agents.scorers.base import Score, Text
from agents.scorers.grammar.imprint import Imprint, imprint, likeness
from agents.scorers.grammar.tables import TABLES, Mode
from streams.ids import digest

FORMULA = 1
"""Goes up with every change of code that changes a score: tables don't tell of it."""


def definition(mode: Mode) -> str:
    """SHA-256 over all that a score in this mode depends on."""
    return digest(["grammar", FORMULA, mode, TABLES])


def function(mode: Mode) -> Callable[[Sequence[Text]], list[Score]]:
    """What scores texts in this mode."""
    return partial(_scores, mode)


def signals(of: Imprint) -> dict[str, float]:
    """What a text alone says."""
    return {
        "token_count": float(of.token_count),
        "verb_diversity": float(len(of.counts["verbs"])),
        "noun_diversity": float(len(of.counts["nouns"])),
        "vocab_richness": of.vocab_richness,
        "tense_entropy": of.tense_entropy,
        "question_ratio": of.question_ratio,
        "domain_depth": sum(of.counts["words"].values(), start=0.0),
        "plural_ratio": of.plural_ratio,
    }


def composite(found: dict[str, float]) -> float:
    """The score of a text with these signals, from 0 to 100."""
    return 100 * sum(_worth(name, found[name]) for name in TABLES.composite)


def _scores(mode: Mode, texts: Sequence[Text]) -> list[Score]:
    # One prompt often has many responses.
    prompts = {text.prompt: imprint(text.prompt, mode) for text in texts if text.prompt}
    return [_score(imprint(text.response, mode), prompts.get(text.prompt)) for text in texts]


def _score(response: Imprint, prompt: Imprint | None) -> Score:
    found = signals(response)
    score = composite(found)
    if prompt:
        found |= _added(score, composite(signals(prompt)), likeness(prompt, response))
    return Score(score=score, signals=found)


def _added(score: float, of_prompt: float, echo: float) -> dict[str, float]:
    uplift = score - of_prompt
    limits = TABLES.sycophantic
    is_sycophantic = echo > limits.echo_above and uplift < limits.uplift_below
    return {
        "uplift": uplift,
        "echo": echo,
        "enrichment": uplift * (1 - echo),
        "sycophantic": float(is_sycophantic),
    }


def _worth(name: str, value: float) -> float:
    term = TABLES.composite[name]
    filled = value * term.gain / term.full
    return term.weight * (filled if term.cap is None else min(filled, term.cap))
