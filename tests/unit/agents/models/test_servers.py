"""Whose key goes to which server, and that nobody else ever sees it."""

import logging
from typing import Any

import msgspec
import pytest

from agents.models import Answer, open_model
from agents.models.openai import OpenAIModel
from agents.models.patience import Patience
from agents.models.servers import Key
from streams.errors import ModelError
from tests.models import Reply, asking, completion, scripted

QUICK = Patience(tries=2, first_wait_s=0.001, max_wait_s=0.002, timeout_s=5.0)
KEY, OTHER = "sk-very-secret-0123456789", "sk-another-9876543210"


def ask_once(url: str) -> Answer:
    model = OpenAIModel(f"{url}#gemma", patience=QUICK)
    try:
        return model.answer(asking())
    finally:
        model.close()


def sent(monkeypatch: pytest.MonkeyPatch, url: str, **variables: str) -> str | None:
    """What a server gets to see of a key."""
    for name, value in variables.items():
        monkeypatch.setenv(f"OPENAI_API_KEY{name}", value)
    return Key(url).headers.get("Authorization")


@pytest.fixture(autouse=True)
def _no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_without_a_key_none_is_sent() -> None:
    with scripted(completion("Yes.")) as (url, asked):
        ask_once(url)

    assert "Authorization" not in asked[0].headers


@pytest.mark.parametrize(
    ("url", "variables", "key"),
    [
        ("https://api.mistral.ai/v1", {"": "a"}, "a"),
        ("https://api.mistral.ai/v1", {"": "a", "_API_MISTRAL_AI": "b"}, "b"),
        ("https://API.mistral.ai/v1", {"_API_MISTRAL_AI": "b"}, "b"),
        ("https://api.openai.com/v1", {"": "a", "_API_MISTRAL_AI": "b"}, "a"),
        ("http://my-mac.local:80/v1", {"": "a", "_MY_MAC_LOCAL": "b"}, "b"),
        ("http://localhost:8080/v1", {"_LOCALHOST": "b", "_LOCALHOST_8080": "c"}, "c"),
        ("http://localhost:8081/v1", {"_LOCALHOST": "b", "_LOCALHOST_8080": "c"}, "b"),
        ("http://[::1]:8080/v1", {"_1_8080": "c"}, "c"),
        ("http://localhost:8080/v1", {"": "a", "_LOCALHOST": ""}, None),
    ],
)
def test_a_server_may_have_a_key_of_its_own(
    url: str, variables: dict[str, str], key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent(monkeypatch, url, **variables) == (key and f"Bearer {key}")


def test_two_servers_see_only_their_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(completion("Yes.")) as (one, asked), scripted(completion("No.")) as (two, other):
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv(f"OPENAI_API_KEY_127_0_0_1_{two[:-3].rpartition(':')[2]}", OTHER)
        ask_once(one)
        ask_once(two)

    assert asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert other[0].headers["Authorization"] == f"Bearer {OTHER}"


@pytest.mark.parametrize(
    "said",
    [
        Reply({"error": f"wrong key: {KEY}"}, 401),
        Reply({"error": f"wrong key: {KEY}"}, 500),
        Reply({"error": {"message": "x" * 190 + KEY}}, 400),
        Reply(f"<b>{KEY}".encode(), 502),
        Reply({"error": f"wrong key: {KEY}"}),
        Reply(b"", 500, {"Retry-After": KEY, "Location": KEY}),
        Reply(b"", 302, {"Location": f"http://127.0.0.1:9/?key={KEY}"}),
        Reply(KEY.encode(), 200, {"Content-Encoding": "gzip"}),
        Reply(b"", 0),
    ],
)
def test_the_key_is_in_no_message(
    said: Reply, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor in what led to it, nor in what any library logs."""
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with scripted(said) as (url, asked):
        with pytest.raises(ModelError) as caught:
            ask_once(url)

        assert KEY in asked[0].headers["Authorization"]
    assert KEY[:8] not in "".join(map(str, chain_of(caught.value)))
    assert KEY not in caplog.text


def chain_of(error: BaseException | None) -> list[BaseException]:
    return [error, *chain_of(error.__cause__ or error.__context__)] if error else []


def test_the_key_is_in_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    reply = completion(f"You said {KEY}.", model=KEY, system_fingerprint=KEY)
    reply.body["choices"][0]["message"]["reasoning"] = f"Bearer {KEY}"
    reply.body["choices"][0]["finish_reason"] = KEY
    with scripted(reply) as (url, _):
        answer = ask_once(url)

    assert answer.text == "You said ***."
    assert KEY.encode() not in msgspec.json.encode(answer)


def test_a_placeholder_is_a_word_that_an_answer_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "ollama")
    with scripted(completion("An ollama.")) as (url, _):
        assert ask_once(url).text == "An ollama."


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-schlüssel"])
@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_API_KEY_LOCALHOST"])
def test_a_key_that_no_header_carries_is_refused(
    key: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, key)
    with pytest.raises(ModelError, match=f"^{name} holds") as caught:
        OpenAIModel("http://localhost/v1#gemma")

    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    "place",
    [
        f"http://me:{KEY}@localhost/v1#gemma",
        f"http://{KEY}@localhost/v1#gemma",
        f"me:{KEY}@localhost/v1#gemma",
        f"http://me:{KEY}@[localhost/v1#gemma",
        f"http://localhost/v1?key={KEY}#gemma",
    ],
)
def test_a_url_with_a_password_is_refused_and_not_repeated(place: str) -> None:
    with pytest.raises(ModelError, match="put the key into OPENAI_API_KEY") as caught:
        open_model(f"openai:{place}")

    assert KEY not in str(caught.value)


def test_a_refused_key_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal: Any = {"error": {"message": "no such key"}}
    said = r"set OPENAI_API_KEY, or OPENAI_API_KEY_127_0_0_1_\d"
    with scripted(Reply(refusal, 401)) as (url, _), pytest.raises(ModelError, match=said):
        ask_once(url)
