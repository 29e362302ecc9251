"""What an answer costs: prices by pattern, from a file, and tokens as the server counts them."""

from pathlib import Path
from typing import Any

import pytest

from agents.models import Answer, open_model
from agents.models.opening import opener
from agents.models.prices import Price, Prices, most_tokens, read
from streams.config import Settings
from streams.errors import ConfigError
from tests.models import Reply, asking, completion, scripted

DEAR = Price(prompt=2.0, completion=10.0)
FILE = """\
openai:https://api.example.org/v1#large: {prompt: 2.5, cached: 1.25, completion: 10}
openai:https://api.example.org/*: {prompt: 0.5, completion: 1}
"openai:http://localhost*": {prompt: 0, completion: 0}
"""


def answered(reply: Reply, price: Price | None = DEAR) -> Answer:
    with scripted(reply) as (url, _):
        prices = Prices({f"openai:{url}#gemma": price} if price else {})
        model = open_model(f"openai:{url}#gemma", prices=prices)
        answer = model.answer(asking("Why?", system="Be kind."))
        model.close()
    return answer


def usage(**tokens: Any) -> Reply:
    return completion("Yes.", usage=tokens)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ("url", "prompt"),
    [
        ("openai:https://api.example.org/v1#large", 2.5),
        ("openai:https://api.example.org/v1#large-2", 0.5),
        ("openai:https://api.example.org/v1#small", 0.5),
        ("openai:http://localhost:8080/v1#x", 0.0),
        ("openai:https://apiXexample.org/v1#large", None),
        ("mlx:some/model", None),
    ],
)
def test_the_first_line_that_fits_counts(url: str, prompt: float | None, file: Path) -> None:
    price = read(str(file)).of(url)

    assert (price and price.prompt) == prompt


@pytest.mark.parametrize(
    ("tokens", "cost"),
    [
        ({"prompt": 1_000_000, "completion": 0}, 2.5),
        ({"prompt": 0, "completion": 1_000_000}, 10.0),
        ({"prompt": 1_000_000, "completion": 0, "saved": 400_000}, 2.0),
    ],
)
def test_a_price_is_for_a_million_tokens(tokens: dict[str, int], cost: float, file: Path) -> None:
    price = read(str(file)).of("openai:https://api.example.org/v1#large")

    assert price
    assert price.cost(**tokens) == pytest.approx(cost)


def test_tokens_that_were_read_before_cost_the_same_unless_it_is_told() -> None:
    assert DEAR.cost(prompt=500_000, completion=0, saved=500_000) == 1.0


def test_an_answer_costs_what_its_tokens_cost() -> None:
    answer = answered(usage(prompt_tokens=1000, completion_tokens=100))

    assert answer.cost == pytest.approx((1000 * 2 + 100 * 10) / 1e6)


def test_an_answer_without_a_price_has_no_cost() -> None:
    assert answered(usage(prompt_tokens=1000, completion_tokens=100), None).cost is None


def test_a_free_answer_costs_nothing() -> None:
    assert answered(usage(prompt_tokens=9), Price(prompt=0, completion=0)).cost == 0


@pytest.mark.parametrize("reply", [completion("Yes."), usage(prompt_tokens=None)])
def test_where_no_tokens_are_counted_it_costs_what_it_may_cost_at_most(reply: Reply) -> None:
    ask = asking("Why?", system="Be kind.")

    assert answered(reply).cost == pytest.approx((most_tokens(ask) * 2 + len("Yes.") * 10) / 1e6)
    assert DEAR.most(ask) == pytest.approx((most_tokens(ask) * 2 + 48 * 10) / 1e6)


def test_models_are_opened_with_the_prices_and_limits_of_the_settings(file: Path) -> None:
    with scripted(usage(prompt_tokens=10, completion_tokens=1)) as (url, _):
        file.write_text(f"openai:{url}*: {{prompt: 1, completion: 2}}")
        found = Settings(concurrency=2, tries=1, timeout_s=7)
        model = opener(found, read(str(file)))(f"openai:{url}#gemma")
        cost = model.answer(asking()).cost
        model.close()

    assert model.room == 2
    assert cost == pytest.approx(12 / 1e6)


def test_without_a_file_nothing_has_a_price() -> None:
    assert read("").of("openai:http://localhost#x") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "Expected `object`"),
        ("m: {prompt: 1}", "missing required field `completion`"),
        ("m: {prompt: -1, completion: 1}", r">= 0.*\.prompt"),
        ("m: {prompt: .inf, completion: 1}", "<= 1000000000"),
        ("m: {prompt: .nan, completion: 1}", r"\.prompt"),
        ("m: {prompt: cheap, completion: 1}", "Expected `float`"),
        ("m: {prompt: 1, completion: 1, output: 2}", "unknown field `output`"),
        ("m: [", "line 1"),
        ("m: {prompt: 1, completion: \xe9", "can't decode byte"),
    ],
)
def test_a_wrong_file_is_told(text: str, said: str, file: Path) -> None:
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match=rf"(?s)^The prices in {file} can't be used.*{said}"):
        read(str(file))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read(str(tmp_path / "none.yaml"))
