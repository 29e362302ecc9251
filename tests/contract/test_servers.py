"""Real servers, asked as a run asks them: much at once, by several, and counted."""

from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest

from agents.models import open_model, tiny
from agents.models.prices import Price, Prices
from tests import llama
from tests.models import asking, mlx_server

SERVERS = {"mlx_lm": mlx_server, "llama.cpp": llama.llama_server}


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "llama.cpp" and not llama.command():
        pytest.skip(llama.MISSING)
    folder: Path = tmp_path_factory.mktemp("server")
    with SERVERS[request.param](tiny.build(folder / "tiny"), folder / "server.log") as server:
        yield f"openai:{server}#default_model"


def test_many_asks_at_once_are_all_answered_and_counted(url: str) -> None:
    model = open_model(url, prices=Prices({url: Price(prompt=1, completion=2)}))
    asks = [asking(system="Be kind.", seed=seed) for seed in range(24)]
    answers = [each.result() for each in [model.submit(ask) for ask in asks]]
    model.close()

    assert len({answer.text for answer in answers}) > 12
    for answer in answers:
        assert answer.text.strip()
        assert answer.prompt_tokens > 0
        assert 0 < answer.completion_tokens <= 48
        cost = (answer.prompt_tokens + 2 * answer.completion_tokens) / 1e6
        assert answer.cost is not None
        assert 0 < answer.cost <= cost + 1e-12


def test_the_limit_rises_with_a_server_that_keeps_up(url: str) -> None:
    model = open_model(url)
    first = model.room
    wait([model.submit(asking(seed=seed, max_tokens=2)) for seed in range(24)])

    assert model.room > first
    model.close()


def test_an_answer_is_the_same_beside_others(url: str) -> None:
    model, other = open_model(url), open_model(url)
    asks = [asking(f"What is {word}?", temperature=0.0) for word in ("consent", "truth", "harm")]
    alone = [model.answer(ask).text for ask in asks]
    beside = [
        each.result().text for each in [one.submit(a) for one in (model, other) for a in asks]
    ]
    model.close()
    other.close()

    assert beside == alone * 2


@pytest.mark.parametrize("max_tokens", [1, 5])
def test_an_answer_that_is_cut_off_says_so(url: str, max_tokens: int) -> None:
    model = open_model(url)
    answer = model.answer(asking(temperature=0.0, max_tokens=max_tokens))
    model.close()

    assert (answer.finish_reason, answer.completion_tokens) == ("length", max_tokens)
