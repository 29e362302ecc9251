"""Many answers at once: each is what it would be alone."""

import random
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import wait as all_of
from pathlib import Path
from typing import Any

import pytest

from agents.models import Answer, Ask, outcome, tiny
from agents.models.mlx import MlxModel
from agents.models.prompts import Prompts
from streams.errors import ModelError
from tests.models import asking, variant

KERNEL = "Be kind, and say what is true even where it is not welcome. " * 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.build(tmp_path_factory.mktemp("batch") / "tiny")


@pytest.fixture
def model(folder: Path) -> Iterator[MlxModel]:
    model = MlxModel(str(folder))
    yield model
    model.close()


def _together(model: MlxModel, asks: list[Ask]) -> list[Answer]:
    return [future.result() for future in [model.submit(ask) for ask in asks]]


def _prompts() -> list[str]:
    """Of very different lengths."""
    return ["Why? " * length for length in (1, 2, 3, 7, 20, 60, 200)]


@pytest.mark.parametrize("system", [None, KERNEL])
@pytest.mark.parametrize("rows", [1, 3, 8, 32])
def test_greedy_answers_are_those_of_mlx_lm_alone(
    folder: Path, rows: int, system: str | None
) -> None:
    from mlx_lm import load, stream_generate

    model = MlxModel(str(folder), most_rows=rows)
    asks = [asking(p, system=system, temperature=0.0, max_tokens=40) for p in _prompts() * 2]
    found = _together(model, asks)
    model.close()

    alone, tokenizer = load(str(folder))[:2]
    prompts = Prompts(tokenizer)
    for ask, answer in zip(asks, found, strict=True):
        pieces = stream_generate(alone, tokenizer, prompts.of(ask).tokens, max_tokens=40)
        assert answer.text == "".join(piece.text for piece in pieces)


def test_a_sampled_answer_is_the_same_in_any_company(folder: Path) -> None:
    asks = [
        asking(prompt, system=system, seed=seed, max_tokens=60, temperature=0.9)
        for prompt in _prompts()
        for system in (None, KERNEL)
        for seed in range(3)
    ]
    found = []
    for order, rows in ((1, 1), (2, 4), (3, 32)):
        model = MlxModel(str(folder), most_rows=rows)
        shuffled = random.Random(order).sample(asks, len(asks))
        answers = dict(zip(map(id, shuffled), _together(model, shuffled), strict=True))
        model.close()
        found.append([answers[id(ask)].text for ask in asks])

    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) > len(asks) // 2


def test_rows_that_are_drawn_differently_may_share_a_batch(model: MlxModel) -> None:
    ways: list[dict[str, Any]] = [{"temperature": 0.0}, {"temperature": 1.0}, {"top_k": 3}]
    asks = [asking(seed=seed, **way) for seed in range(4) for way in ways]

    assert [each.text for each in _together(model, asks)] == [model.answer(a).text for a in asks]


def test_what_prompts_share_is_read_once(model: MlxModel) -> None:
    asks = [asking(f"Case {n}.", system=KERNEL, seed=s) for n in range(4) for s in range(5)]

    answers = _together(model, asks)

    read = sum(answer.prompt_tokens - answer.saved_tokens for answer in answers)
    assert read < 2 * answers[0].prompt_tokens
    assert all(answer.saved_tokens < answer.prompt_tokens for answer in answers)


def test_within_few_bytes_the_answers_are_the_same(model: MlxModel, folder: Path) -> None:
    asks = [asking(f"Case {n}.", system=KERNEL, seed=n) for n in range(12)]
    scant = MlxModel(str(folder), most_bytes=2**20)

    found = _together(scant, asks)

    scant.close()
    assert [each.text for each in found] == [each.text for each in _together(model, asks)]


def test_an_answer_that_goes_round_in_circles_is_stopped(folder: Path, tmp_path: Path) -> None:
    model = MlxModel(str(folder))
    answers = _together(
        model, [asking(p, temperature=0.0, max_tokens=2000) for p in ("Why?", "Who?", "When?")]
    )
    model.close()

    looped = [answer for answer in answers if answer.finish_reason == "loop"]
    assert looped
    assert all(answer.completion_tokens < 1500 for answer in looped)
    assert {outcome(answer) for answer in looped} == {"loop"}


def test_reasoning_is_kept_apart(folder: Path, tmp_path: Path) -> None:
    """The prompt opens it; what the model never closes is a leak."""
    template = tiny.TEMPLATE.replace("model\\n' }}\n{%- endif", "model\\n<think>' }}\n{%- endif")
    thinking = variant(folder, tmp_path / "thinking", template=template)
    model = MlxModel(str(thinking))
    answer = model.answer(asking())
    model.close()

    assert answer.text.startswith("<think>")
    assert outcome(answer) == "token_leak"


def test_one_ask_that_can_not_be_put_costs_no_other(model: MlxModel) -> None:
    good, bad = model.submit(asking()), model.submit(asking(max_tokens=0))

    assert good.result().text
    with pytest.raises(ModelError, match="max_tokens is 0"):
        bad.result()
    assert model.answer(asking()).text


def test_what_is_under_way_fails_when_the_model_is_closed(folder: Path) -> None:
    model = MlxModel(str(folder))
    futures: list[Future[Answer]] = [
        model.submit(asking(seed=seed, max_tokens=4000, temperature=2.0, top_p=1.0))
        for seed in range(80)
    ]
    model.close()

    done, left = all_of(futures, timeout=60)
    assert not left
    assert any(isinstance(each.exception(), ModelError) for each in done)
