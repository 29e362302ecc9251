"""The answers of A/B runs as the views have them, each with its condition, probe and score."""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agents.ab import BASELINE
from agents.ab.comparing import Answer
from schemas import Sampling
from streams.errors import ConfigError

if TYPE_CHECKING:
    from streams.replay import Views


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which answers are meant."""

    phase: str
    """`ab`, or `history` for what was imported."""

    model: str | None = None
    """A part of the model's URL; none means all."""

    sets: tuple[str, ...] = ()
    """Probe sets; none named means all."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of one model, drawn in one way, under every condition."""

    model: str
    sampling: Sampling
    conditions: tuple[str, ...]
    """The baseline first."""

    digests: dict[str, str]
    """Of each kernel's text, by the condition's name."""

    answers: list[Answer]
    waiting: int
    """How many requests have no answer yet."""

    unscored: int
    """How many answers this scorer gave no score."""

    generations: dict[str, "Asked"]
    """Which answer each generation is, by its id."""


class Asked(NamedTuple):
    """One cell of a trial: a prompt under a condition, for the n-th time."""

    probe: str
    sample: int
    condition: str


# Of a sample that was asked again after an error, the last attempt counts.
_ANSWERS = """
with asked as (
  select r.id, r.model, r.sampling, r.kernel, r.kernel_digest as digest, r.probe, r.original,
    r.sample, p.domain
  from requests r
  left join probes p on p.probe = r.original
  where r.phase = $phase
    and ($model is null or contains(r.model, $model))
    and (len($sets) = 0 or list_contains($sets, p.set))
  qualify row_number() over (
    partition by r.model, r.sampling, r.kernel_digest, r.probe, r.prompt, r.sample
    order by r.attempt desc, r.id
  ) = 1
)
select asked.* exclude (id), g.id as generation, g.outcome, s.score
from asked
left join generations g on g.request = asked.id
left join scored_generations s on s.generation = g.id and s.scorer = $scorer
order by model, sampling::varchar, original, probe, sample"""

_SETS = """
select distinct p.set as name from requests r join probes p on p.probe = r.original
where r.phase = ? order by name"""


def trials(views: "Views", choice: Choice, scorer: str) -> list[Trial]:
    """Every trial that is meant, in the order of its model's URL.

    Raises:
        ConfigError: There is none, or one of the sets was never asked.
    """
    _check(views, choice)
    values = {
        "phase": choice.phase,
        "model": choice.model,
        "sets": list(choice.sets),
        "scorer": scorer,
    }
    rows = views.rows(_ANSWERS, values)
    if not rows:
        whose = f' of a model whose URL holds "{choice.model}"' if choice.model else ""
        raise ConfigError(
            f'The log has no requests of phase "{choice.phase}"{whose}. `lem ab` plans some, and'
            " `lem run` has them answered."
        )
    key = lambda row: (row["model"], str(row["sampling"]))  # noqa: E731
    return [_trial(list(part)) for _, part in groupby(rows, key)]


def _check(views: "Views", choice: Choice) -> None:
    there = [row["name"] for row in views.rows(_SETS, [choice.phase])]
    if missing := [name for name in choice.sets if name not in there]:
        raise ConfigError(
            f'No probe of a set "{missing[0]}" was asked in phase "{choice.phase}"; of these some'
            f" were: {', '.join(there) or 'none'}."
        )


def _trial(rows: list[dict[str, Any]]) -> Trial:
    names = _names(rows)
    answered = [row for row in rows if row["generation"]]
    scored = [row for row in answered if row["score"] is not None]
    return Trial(
        model=rows[0]["model"],
        sampling=msgspec.convert(rows[0]["sampling"], Sampling),
        conditions=tuple(names.values()),
        digests={name: digest for digest, name in names.items() if digest},
        answers=[_answer(row, names) for row in scored],
        waiting=len(rows) - len(answered),
        unscored=len(answered) - len(scored),
        generations={
            row["generation"]: Asked(row["probe"], row["sample"], names[row["digest"]])
            for row in scored
        },
    )


def _answer(row: dict[str, Any], names: dict[str | None, str]) -> Answer:
    return Answer(
        condition=names[row["digest"]],
        original=row["original"],
        probe=row["probe"],
        category=row["domain"] or "uncategorised",
        outcome=row["outcome"],
        score=row["score"],
    )


def _names(rows: Iterable[dict[str, Any]]) -> dict[str | None, str]:
    """What each kernel is called, by its digest; two texts of one name are told apart by it."""
    called = {row["digest"]: row["kernel"] for row in rows if row["digest"]}
    shared = list(called.values())
    kernels = {
        digest: name if shared.count(name) == 1 and name != BASELINE else f"{name} {digest[:8]}"
        for digest, name in called.items()
    }
    by_name = sorted(kernels.items(), key=lambda pair: pair[1])
    return {None: BASELINE, **dict(by_name)}
