"""Which answers a report takes up: the last attempt, each condition, each model by itself."""

from pathlib import Path
from typing import Any

import pytest

from agents.ab.answers import Choice, Trial, trials
from schemas import Generated, Requested, Sampling, Scored
from schemas.base import Fact
from streams import replay
from streams.errors import ConfigError
from streams.ids import digest
from streams.log.store import EmbeddedStore
from tests.events import generated, probed, put, requested, scored

PROBE = probed("P1", domain="law")
ABOUT = Choice(phase="ab")


def asked(kernel: str | None = None, text: str = "", **fields: Any) -> Requested:
    mark = digest(text or kernel) if kernel else None
    wanted = {"phase": "ab", "kernel": kernel, "kernel_digest": mark} | fields
    return requested(wanted.pop("probe", PROBE), **wanted)


def answered(request: Requested, score: float = 20.0, **fields: Any) -> list[Fact]:
    answer = generated(request, **fields)
    return [request, answer, scored(answer, score)]


def found(
    store: EmbeddedStore, home: Path, choice: Choice = ABOUT, scorer: str = "lek@2"
) -> list[Trial]:
    with replay.opened(store, home) as views:
        return trials(views, choice, scorer)


def test_each_answer_has_its_condition_category_and_score(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    rephrased = probed("P1_R_PERS", "Otherwise?", rephrasing_of="P1", kind="perspective")
    put(store, PROBE, rephrased, *answered(asked(), 10.0))
    put(store, *answered(asked("json", probe=rephrased), 12.0, outcome="truncated"))

    (trial,) = found(store, tmp_path)

    assert trial.conditions == ("baseline", "json")
    assert [tuple(each) for each in trial.answers] == [
        ("baseline", "P1", "P1", "law", "ok", 10.0),
        ("json", "P1", "P1_R_PERS", "law", "truncated", 12.0),
    ]


def test_of_a_sample_the_last_attempt_counts(store: EmbeddedStore, tmp_path: Path) -> None:
    put(store, PROBE, *answered(asked(), -19.0, outcome="error", response="", error="Silent."))
    put(store, *answered(asked(attempt=1), 21.0), *answered(asked(sample=1), 22.0))

    (trial,) = found(store, tmp_path)

    assert [each.score for each in trial.answers] == [21.0, 22.0]


def test_what_is_missing_is_counted(store: EmbeddedStore, tmp_path: Path) -> None:
    request = asked(sample=1)
    put(store, PROBE, asked(), request, generated(request), *answered(asked(sample=2)))

    (trial,) = found(store, tmp_path)

    assert (len(trial.answers), trial.waiting, trial.unscored) == (1, 1, 1)


def test_two_texts_of_one_name_are_two_conditions(store: EmbeddedStore, tmp_path: Path) -> None:
    put(store, PROBE, *answered(asked()), *answered(asked("json", "{}")))
    put(store, *answered(asked("json", "{1}")), *answered(asked("txt")))

    (trial,) = found(store, tmp_path)

    marks = sorted(f"json {digest(text)[:8]}" for text in ("{}", "{1}"))
    assert trial.conditions == ("baseline", *marks, "txt")
    assert trial.digests[marks[0]].startswith(marks[0][5:])


def test_models_and_ways_of_drawing_are_trials_of_their_own(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    greedy = Sampling(temperature=0.0)
    put(store, PROBE, *answered(asked()), *answered(asked(model="canned:b")))
    put(store, *answered(asked(model="canned:b", sampling=greedy)))

    every = found(store, tmp_path)

    assert len(every) == 3
    assert [
        (each.model, each.sampling.temperature) for each in every if each.sampling == greedy
    ] == [("canned:b", 0.0)]
    assert len(found(store, tmp_path, Choice(phase="ab", model="ned:b"))) == 2


def test_another_phase_set_or_scorer_is_left_out(store: EmbeddedStore, tmp_path: Path) -> None:
    other = probed("Q1", "Else?", set="creative")
    put(store, PROBE, other, *answered(asked()), *answered(asked(probe=other)))
    put(store, *answered(asked(phase="1", sample=7)))

    (trial,) = found(store, tmp_path, Choice(phase="ab", sets=("creative",)))
    (unscored,) = found(store, tmp_path, scorer="grammar@3")

    assert [each.probe for each in trial.answers] == ["Q1"]
    assert (unscored.answers, unscored.unscored) == ([], 2)


def test_the_newest_score_of_a_scorer_counts(store: EmbeddedStore, tmp_path: Path) -> None:
    request = asked()
    answer = generated(request)
    put(store, PROBE, request, answer, scored(answer, 1.0))
    put(store, scored(answer, 2.0, definition=digest("mended")))

    (trial,) = found(store, tmp_path)

    assert [each.score for each in trial.answers] == [2.0]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(phase="ab", sets=("none",)), 'a set "none" was asked in phase "ab"; .*: core'),
        (Choice(phase="ab", model="zzz"), 'whose URL holds "zzz"'),
        (Choice(phase="x"), 'no requests of phase "x". `lem ab` plans some'),
    ],
)
def test_what_is_not_there_is_told(
    store: EmbeddedStore, tmp_path: Path, choice: Choice, said: str
) -> None:
    put(store, PROBE, *answered(asked()))

    with pytest.raises(ConfigError, match=said):
        found(store, tmp_path, choice)


def test_the_events_of_this_file_are_what_they_seem() -> None:
    request, answer, score = answered(asked("json"), 3.0)

    assert isinstance(request, Requested)
    assert isinstance(answer, Generated)
    assert isinstance(score, Scored)
    assert (answer.request, score.generation) == (request.id, answer.id)
