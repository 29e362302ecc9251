"""A server that fails, refuses, talks nonsense or is not there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.models import open_model
from agents.models.openai import OpenAIModel
from agents.models.patience import Patience, told_s, wait_s
from streams.errors import ModelError, ModelSilent
from tests.models import Asked, Reply, asking, completion, free_port, scripted

QUICK = Patience(tries=3, first_wait_s=0.001, max_wait_s=0.002, timeout_s=5.0)
KEY = "sk-very-secret-0123456789"


def ask_once(url: str, patience: Patience = QUICK, **ask: Any) -> Any:
    model = OpenAIModel(f"{url}#gemma", patience=patience)
    try:
        return model.answer(asking(**ask))
    finally:
        model.close()


def roles(asked: Asked) -> list[str]:
    return [message["role"] for message in asked.body["messages"]]


def error(text: Any, status: int, **headers: str) -> Reply:
    return Reply({"error": text}, status, headers)


def test_the_ask_is_sent_as_the_api_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with scripted(completion("Yes.")) as (url, asked):
        ask_once(url, system="Be kind.", seed=9, temperature=0.8, top_p=0.95)

    assert asked[0].path == "/v1/chat/completions"
    assert asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert asked[0].body == {
        "model": "gemma",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "What is consent?"},
        ],
        "temperature": 0.8,
        "top_p": 0.95,
        "max_tokens": 48,
        "seed": 9,
        "stream": False,
    }


def test_top_k_and_min_p_are_sent_where_they_are_set() -> None:
    with scripted(completion("Yes.")) as (url, asked):
        ask_once(url, top_k=40, min_p=0.05)

    assert (asked[0].body["top_k"], asked[0].body["min_p"]) == (40, 0.05)


def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with scripted(completion("Yes.")) as (url, asked):
        ask_once(url)

    assert "Authorization" not in asked[0].headers


def test_what_the_server_tells_is_kept() -> None:
    reply = completion("Yes and")
    reply.body["choices"][0]["finish_reason"] = "length"
    more = {"usage": {"prompt_tokens": 7, "completion_tokens": 2}, "model": "gemma-3-1b"}
    reply.body.update(more, system_fingerprint="fp1")
    with scripted(reply) as (url, _):
        answer = ask_once(url)

    assert (answer.text, answer.finish_reason) == ("Yes and", "length")
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 2)
    assert answer.revision == "gemma-3-1b@fp1"


def test_what_the_server_does_not_tell_is_nought() -> None:
    with scripted(Reply({"choices": [{"message": {"content": None}}]})) as (url, _):
        answer = ask_once(url)

    assert (answer.text, answer.prompt_tokens, answer.revision) == ("", 0, "gemma")


@pytest.mark.parametrize(
    "failure",
    [
        error("overloaded", 500),
        error("starting", 503),
        error("slow down", 429, **{"Retry-After": "0.001"}),
        Reply(b"<html>bad gateway</html>", 502),
        Reply(b"<html>hello</html>"),
        Reply({"choices": []}),
        Reply({"choices": [{"text": "Yes."}]}),
        Reply(["Yes."]),
        Reply(b""),
    ],
)
def test_a_failure_is_followed_by_another_try(failure: Reply) -> None:
    with scripted(failure, failure, completion("Yes.")) as (url, asked):
        answer = ask_once(url)

    assert answer.text == "Yes."
    assert len(asked) == 3
    assert asked[0].body == asked[2].body


def test_after_the_last_try_there_is_silence() -> None:
    with scripted(error({"message": "overloaded"}, 500)) as (url, asked):
        with pytest.raises(ModelSilent, match=r'3 tries.*500 "overloaded"') as caught:
            ask_once(url)

        assert f"openai:{url}#gemma" in str(caught.value)
        assert len(asked) == 3


def test_a_server_that_is_down_is_silent() -> None:
    with pytest.raises(ModelSilent, match=r"3 tries.*ConnectError"):
        ask_once(f"http://127.0.0.1:{free_port()}/v1")


def test_a_server_that_never_answers_is_silent() -> None:
    with scripted(Reply("", status=None)) as (url, asked):
        with pytest.raises(ModelSilent, match=r"2 tries.*ReadTimeout"):
            ask_once(url, Patience(tries=2, first_wait_s=0.001, timeout_s=0.05))

        assert len(asked) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_final(status: int) -> None:
    with scripted(error({"message": "no " * 200}, status)) as (url, asked):
        with pytest.raises(ModelError, match=f'{status} "no no') as caught:
            ask_once(url)

        assert not isinstance(caught.value, ModelSilent)
        assert str(caught.value).count("no ") <= 70
        assert len(asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        error({"message": "System role not supported"}, 400),
        error("Jinja: system role not supported", 500),
        error("Conversation roles must alternate user/assistant/user/assistant/...", 404),
        Reply({"detail": "Developer instruction is not enabled"}, 400),
    ],
)
def test_a_refused_system_message_is_merged_into_the_prompt(said: Reply) -> None:
    with scripted(said, completion("Yes.")) as (url, asked):
        model = open_model(f"openai:{url}#gemma", patience=QUICK)
        answers = [model.answer(asking(system="Be kind.")) for _ in range(2)]
        model.close()

    assert [answer.system_role for answer in answers] == ["merged", "merged"]
    assert [roles(one) for one in asked] == [["system", "user"], ["user"], ["user"]]
    assert asked[1].body["messages"][0]["content"] == "Be kind.\n\nWhat is consent?"


def test_a_refusal_without_a_kernel_is_not_about_the_kernel() -> None:
    with scripted(error("system role not supported", 400)) as (url, asked):
        with pytest.raises(ModelError):
            ask_once(url)

        assert len(asked) == 1


@pytest.mark.parametrize("status", [401, 500])
def test_the_key_is_in_no_message(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with scripted(error(f"wrong key: {KEY}", status)) as (url, asked):
        with pytest.raises(ModelError, match=r"wrong key: \*\*\*") as caught:
            ask_once(url)

        assert KEY in asked[0].headers["Authorization"]
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-schlüssel"])
def test_a_key_that_no_header_carries_is_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as caught:
        OpenAIModel("http://localhost/v1#gemma")

    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(("attempt", "limit"), [(1, 0.5), (2, 1.0), (3, 2.0), (9, 30.0)])
def test_the_longest_wait_doubles_up_to_a_limit(attempt: int, limit: float) -> None:
    drawn = [wait_s(Patience(), attempt) for _ in range(200)]

    assert 0 <= min(drawn) < max(drawn) <= limit


@pytest.mark.parametrize(("told", "waited"), [(120.0, 120.0), (9000.0, 600.0)])
def test_the_server_may_ask_for_a_longer_wait(told: float, waited: float) -> None:
    assert wait_s(Patience(), 1, told_s=told) == waited


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("7", 7.0), ("-7", 0.0), ("soon", None), ("Fri, 01 Jan 2021 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, expected: float | None) -> None:
    assert told_s(header) == expected


def test_retry_after_may_be_a_date_to_come() -> None:
    year = datetime.now(UTC).year + 2

    assert (told_s(f"Mon, 01 Jan {year} 00:00:00 GMT") or 0) > 86400 * 300
