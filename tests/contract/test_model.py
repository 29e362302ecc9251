"""What every model promises: canned answers, MLX in this process, a server in another one."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.models import Model, check, open_model, tiny
from tests.models import asking, mlx_server

LINES = [
    {
        "prompt": "consent",
        "responses": ["Ask before you act, and then wait.", "A yes that is freely given."],
    },
    {"prompt": "*", "responses": ["I would want to know more about it first."]},
]


@pytest.fixture(scope="session")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("models")
    answers = folder / "answers.jsonl"
    answers.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    model = tiny.build(folder / "tiny")
    with mlx_server(model, folder / "server.log") as server:
        yield {
            "canned": f"canned:{answers}",
            "mlx": f"mlx:{model}",
            "openai": f"openai:{server}#default_model",
        }


@pytest.fixture(params=["canned", "mlx", "openai"])
def url(request: pytest.FixtureRequest, urls: dict[str, str]) -> str:
    return urls[request.param]


@pytest.fixture
def model(url: str) -> Iterator[Model]:
    model = open_model(url)
    yield model
    model.close()


def test_a_model_keeps_its_url(model: Model, url: str) -> None:
    assert model.url == url


def test_what_opens_passes_the_check(url: str) -> None:
    check(url)


def test_the_same_ask_has_the_same_answer(model: Model) -> None:
    first, second = model.answer(asking(seed=7)), model.answer(asking(seed=7))

    assert first.text == second.text
    assert first.text.strip()


def test_another_seed_has_another_answer(model: Model) -> None:
    assert model.answer(asking(seed=1)).text != model.answer(asking(seed=2)).text


def test_a_model_opened_again_gives_the_same_answer(model: Model, url: str) -> None:
    again = open_model(url)
    answers = [opened.answer(asking(seed=7)) for opened in (model, again)]
    again.close()

    assert answers[0].text == answers[1].text
    assert answers[0].revision == answers[1].revision


def test_tokens_and_seconds_are_counted(model: Model) -> None:
    answer = model.answer(asking())

    assert answer.prompt_tokens > 0
    assert answer.completion_tokens > 0
    assert answer.prefill_s >= 0
    assert answer.decode_s >= 0


def test_a_kernel_is_read_too(model: Model) -> None:
    bare, full = model.answer(asking()), model.answer(asking(system="Be kind. " * 20))

    assert full.prompt_tokens > bare.prompt_tokens + 20


@pytest.mark.parametrize(("system", "role"), [(None, "none"), ("Be kind.", "system")])
def test_it_is_told_how_the_kernel_was_given(model: Model, system: str | None, role: str) -> None:
    assert model.answer(asking(system=system)).system_role == role


def test_an_answer_is_cut_off_at_max_tokens(model: Model) -> None:
    answer = model.answer(asking(temperature=0.0, max_tokens=3))

    assert answer.finish_reason == "length"
    assert answer.completion_tokens == 3


def test_an_answer_that_ends_by_itself_says_so(model: Model) -> None:
    answers = [model.answer(asking(seed=seed)) for seed in range(8)]

    assert "stop" in {answer.finish_reason for answer in answers}


def test_other_threads_may_ask(model: Model) -> None:
    expected = [model.answer(asking(seed=seed)).text for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        texts = list(threads.map(lambda seed: model.answer(asking(seed=seed)).text, range(4)))

    assert texts == expected


def test_what_answered_has_a_name(model: Model) -> None:
    assert model.answer(asking()).revision


def test_closing_twice_does_no_harm(url: str) -> None:
    model = open_model(url)
    model.close()
    model.close()


def test_a_server_and_a_folder_answer_alike(urls: dict[str, str]) -> None:
    here, there = open_model(urls["mlx"]), open_model(urls["openai"])
    ask = asking(system="Be kind.", temperature=0.0)  # they draw by other keys
    answers = [model.answer(ask) for model in (here, there)]
    here.close()
    there.close()

    assert answers[0].text == answers[1].text
    assert answers[0].prompt_tokens == answers[1].prompt_tokens
